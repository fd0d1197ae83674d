using Federated.Privacy.Local.Frequencies;

namespace Federated.Privacy.Analytics;

/// <summary>Frequency oracles as analyses use them: chosen by error, and with the server's seed where they hash.</summary>
internal static class AnalysisOracle
{
    public const string Automatic = "auto";

    /// <summary>GRR where k &lt; 3e^ε + 2, else OLH: OUE's error in 12 bytes.</summary>
    public static FrequencyOracle Create(string name, double epsilon, int items) => FrequencyOracles.Create(
        name != Automatic ? name : items < (3 * Math.Exp(epsilon)) + 2 ? FrequencyOracles.RandomizedResponse : FrequencyOracles.LocalHashing, epsilon, items);

    public static void Randomize(FrequencyOracle oracle, int item, Ticket ticket, Span<byte> report, Randomness.IRandomSource random)
    {
        if (oracle is LocalHashing hashing)
        {
            hashing.Randomize(item, ticket.Seed, report, random);
        }
        else
        {
            oracle.Randomize(item, report, random);
        }
    }

    public static string? Problem(FrequencyOracle oracle, ReadOnlySpan<byte> report, Ticket ticket)
    {
        switch (oracle)
        {
            case LocalHashing hashing:
                return LocalHashing.Seed(report) != ticket.Seed ? "its seed is not the one assigned"
                    : (uint)System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(report[sizeof(ulong)..]) >= (uint)hashing.Buckets ? "its bucket does not exist"
                    : null;
            case UnaryEncoding unary:
                var (least, most) = unary.HonestWeight();
                var weight = UnaryEncoding.Weight(report);
                if (weight < least || weight > most)
                {
                    return $"it has {weight} ones; all but 10⁻⁹ of honest ones have {least} to {most}";
                }

                break;
            default:
                break;
        }

        try
        {
            oracle.Accumulate(report, new long[oracle.StateLength]);
            return null;
        }
        catch (PrivacyException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>n·Var of a share f estimated by one group of clients; with what drawing the group from all clients adds where there are others.</summary>
    public static double Variance(FrequencyOracle oracle, double frequency, double groupShare)
    {
        var f = Math.Clamp(frequency, 0, 1);
        return oracle.VariancePerReport(f) + (f * (1 - f) * (1 - groupShare));
    }
}
