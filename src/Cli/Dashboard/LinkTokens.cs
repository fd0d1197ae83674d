using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Cli.Dashboard;

/// <summary>Two secrets of 128 bits that make the links of one dashboard: one may act, one may only look.</summary>
internal sealed class LinkTokens
{
    public const string OperatorRole = "operator";
    public const string ViewerRole = "viewer";

    /// <summary>Sets the operator's token, so that a link survives a restart.</summary>
    public const string Variable = "FED_DASHBOARD_TOKEN";

    private const int LeastLength = 16;

    private LinkTokens(string operatorToken, string viewerToken) => (Operator, Viewer) = (operatorToken, viewerToken);

    public string Operator { get; }

    public string Viewer { get; }

    /// <exception cref="CommandException">The environment names a token that is too short.</exception>
    public static LinkTokens Create()
    {
        if (System.Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } given)
        {
            return new LinkTokens(New(), New());
        }

        if (given.Length < LeastLength)
        {
            throw new CommandException(ExitCodes.Usage, $"{Variable} needs at least {LeastLength} characters; there are {given.Length}.");
        }

        return new LinkTokens(given, Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(given), "viewer"u8).AsSpan(0, 16)));
    }

    /// <returns>The role that the token gives; null for none.</returns>
    public string? RoleOf(string token)
    {
        var given = Encoding.UTF8.GetBytes(token);
        return CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(Operator)) ? OperatorRole
            : CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(Viewer)) ? ViewerRole
            : null;
    }

    private static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
}
