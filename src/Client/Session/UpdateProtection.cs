using System.Buffers.Text;
using System.Numerics;
using System.Text.Json;
using Federated.Privacy;
using Federated.Privacy.Clipping;
using Federated.Privacy.Hpke;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;

namespace Federated.Client.Session;

/// <summary>
/// The device's part of the run's privacy: nothing leaves it before its delta has been clipped, and randomised where the policy says so,
/// with randomness from the operating system. A step that this client does not know is a reason to give the work up, never to skip it.
/// </summary>
/// <remarks>It does not protect vectors that go up beside the delta; a coordinator that keeps to docs/protocol.md does not ask for both.</remarks>
internal static class UpdateProtection
{
    /// <param name="privacy">The assignment's; null for nothing to do.</param>
    /// <param name="sendsMore">Whether vectors go up beside the delta.</param>
    public static void Apply(JsonElement? privacy, Span<float> delta, bool sendsMore)
    {
        if (privacy is not { ValueKind: not JsonValueKind.Null } json)
        {
            return;
        }

        try
        {
            var message = ProtectionMessage.Parse(json);
            switch (message)
            {
                case { Kind: ProtectionMessage.Randomize or ProtectionMessage.Shuffled } when sendsMore:
                    throw new ClientException("The run asks for a randomised report and for vectors beside it that would leave the device as they are. Choose an objective without them.");
                case { Kind: ProtectionMessage.Clip }:
                    L2Clip.Apply(delta, message.ClipNorm, maxThreads: 1);
                    break;
                case { Kind: ProtectionMessage.Randomize or ProtectionMessage.Shuffled, Randomizer: { } name, ReportEpsilon: { } epsilon }:
                    using (var random = new CryptographicRandom())
                    {
                        Randomizer<float>(name, epsilon, message.ClipNorm, delta.Length).Randomize(delta, random);
                    }

                    break;
                default:
                    throw new ClientException($"The run asks for the privacy step '{message.Kind}', which this client does not know. Update it.");
            }
        }
        catch (Exception e) when (e is JsonException or PrivacyException or ArgumentException)
        {
            throw new ClientException($"The run's privacy step cannot be taken on this client: {e.Message}", e);
        }
    }

    /// <summary>Where nobody is trusted with the update, nobody is with the number of examples behind it.</summary>
    public static bool HidesExamples(JsonElement? privacy) => IsKind(privacy, ProtectionMessage.Randomize) || IsKind(privacy, ProtectionMessage.Shuffled) || SumsSecurely(privacy);

    /// <summary>Whether the update may leave the device only inside a sum.</summary>
    public static bool SumsSecurely(JsonElement? privacy) => IsKind(privacy, ProtectionMessage.SecureSum);

    /// <summary>The update as it goes into a sum.</summary>
    public static SumInput SumOf(JsonElement privacy, float[] delta, double examples, int steps)
    {
        try
        {
            var message = ProtectionMessage.Parse(privacy);
            var sum = message.Sum ?? throw new ClientException("The run asks for a secure sum and does not say which.");
            _ = sum.ToPlan(message.ClipNorm, delta.Length).CreateEncoding<float>(); // What cannot be encoded is found out before others wait for it.
            return new SumInput(delta, examples, steps, message.ClipNorm, sum);
        }
        catch (Exception e) when (e is JsonException or PrivacyException or ArgumentException)
        {
            throw new ClientException($"The run's secure sum cannot be had on this client: {e.Message}", e);
        }
    }

    private static bool IsKind(JsonElement? privacy, string name) =>
        privacy is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals(name);

    /// <summary>The way of the report where it does not go to the coordinator; null where it does.</summary>
    /// <exception cref="ClientException">The run asks for a shuffler and names none.</exception>
    public static (ProtectionMessage Protection, ShuffleMessage Way)? WayOf(JsonElement? privacy)
    {
        if (!IsKind(privacy, ProtectionMessage.Shuffled))
        {
            return null;
        }

        var message = ProtectionMessage.Parse(privacy!.Value);
        return message.Shuffle is { Shufflers.Count: > 0 } way
            ? (message, way)
            : throw new ClientException("The run's reports pass a shuffler, and the assignment names none.");
    }

    /// <summary>Seals encoded bytes for their way, each envelope for one who opens it.</summary>
    /// <exception cref="ClientException">A key is none, or the report is longer than the run's reports are.</exception>
    public static byte[] Seal(ReadOnlySpan<byte> encoded, ProtectionMessage protection, ShuffleMessage way)
    {
        List<HpkePublicKey> keys = [];
        try
        {
            keys.AddRange(way.Shufflers.Select(s => HpkePublicKey.Read(Base64Url.DecodeFromChars(s.Key))));
            using var analyzer = HpkePublicKey.Read(Base64Url.DecodeFromChars(way.Analyzer));
            return ReportEnvelope.Seal(
                encoded, way.ReportBytes, way.Run, way.Batch, protection.RandomizerInWords, System.Text.Encoding.ASCII.GetBytes(way.Ticket), analyzer, keys);
        }
        catch (Exception e) when (e is PrivacyException or ArgumentException or FormatException)
        {
            throw new ClientException($"The report cannot be sealed for the run's shuffler: {e.Message}", e);
        }
        finally
        {
            keys.ForEach(key => key.Dispose());
        }
    }

    /// <summary>What the first shuffler is shown before the envelope.</summary>
    /// <exception cref="ClientException">The assignment's ticket is none.</exception>
    public static string ProofOf(ShuffleMessage way)
    {
        try
        {
            return TicketKey.Prove(way.Ticket);
        }
        catch (FormatException e)
        {
            throw new ClientException($"The run's ticket for the shuffler is none: {e.Message}", e);
        }
    }

    private static LocalUpdateRandomizer<T> Randomizer<T>(string name, double epsilon, double clipNorm, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        new(UnitVectorRandomizers.Create<T>(name, epsilon, dimension + 1), clipNorm);
}
