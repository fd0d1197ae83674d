using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Client.Transport;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Fakes;

/// <content>Who comes: enrolment, and tokens for signed assertions.</content>
internal sealed partial class FakeCoordinator
{
    public ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation) => Handle("enrol", cancellation, false, () =>
    {
        NameTold = request.Name;
        if (enrolled.TryGetValue(request.Token, out var known))
        {
            return known.Key == request.PublicKey ? new EnrolmentReply(known.Client, "coordinator") : throw Refuse(403, "enrolment-token-used");
        }

        enrolled.Add(request.Token, ("c-1", request.PublicKey));
        keys["c-1"] = Base64Url.DecodeFromChars(request.PublicKey);
        return new EnrolmentReply("c-1", "coordinator");
    });

    public ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation) => Handle("token", cancellation, false, () =>
    {
        var parts = request.Assertion.Split('.');
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
        var client = claims.RootElement.GetProperty("sub").GetString()!;
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(keys.TryGetValue(client, out var spki) ? spki : throw Refuse(401, Problem.ClientUnknown), out _);
        var isSigned = key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256);
        var now = Now;
        var (issued, expires) = (claims.RootElement.GetProperty("iat").GetInt64(), claims.RootElement.GetProperty("exp").GetInt64());
        if (!isSigned || claims.RootElement.GetProperty("aud").GetString() != "coordinator" || !assertions.Add(claims.RootElement.GetProperty("jti").GetString()!))
        {
            throw Refuse(401, "assertion-invalid");
        }

        if (issued > now + 60 || expires < now - 60 || expires - issued > 300)
        {
            ClockSkew = TimeSpan.FromSeconds(ClockOffset); // As a reply's Date tells.
            throw Refuse(401, "assertion-expired");
        }

        var token = $"token-{tokens.Count}";
        tokens.Add(token, time.Seconds + 600);
        return new TokenReply(token, 600);
    });
}
