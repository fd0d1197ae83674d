using System.Buffers.Binary;
using System.Numerics;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>
/// Hadamard response: an index at which the item's row of the Hadamard matrix is +1, or with probability 1/(e^ε + 1) one at which it
/// is −1. The server decodes all items with one fast transform.
/// </summary>
/// <remarks>
/// Acharya, Sun, Zhang, "Hadamard Response: Estimating Distributions Privately, Efficiently, and with Little Communication", AISTATS 2019,
/// https://arxiv.org/abs/1802.04705, the one-block form for high privacy. K = 2^⌈log₂(k+1)⌉ (row 0, constant, is left out);
/// p = e^ε/(e^ε + 1), q = ½. Deviation: integer coin. Cost: O(1) a report, O(K log K) to decode.
/// </remarks>
public sealed class HadamardResponse : FrequencyOracle
{
    private readonly BinaryResponse response;

    public HadamardResponse(double epsilon, int items)
        : base(epsilon, items)
    {
        response = new BinaryResponse(epsilon);
        Size = (int)BitOperations.RoundUpToPowerOf2((uint)items + 1);
    }

    public override string Name => FrequencyOracles.Hadamard;

    public override double Epsilon => response.Epsilon;

    /// <summary>K.</summary>
    public int Size { get; }

    public override double TrueSupport => 1 - response.FlipProbability;

    public override double FalseSupport => 0.5;

    public override int ReportBytes => sizeof(int);

    public override int ReportBits => BitOperations.Log2((uint)Size);

    public override int StateLength => Size;

    public override double Probability(int item, ReadOnlySpan<byte> report) =>
        (IsPositive(item, BinaryPrimitives.ReadInt32LittleEndian(report)) ? TrueSupport : response.FlipProbability) / (Size / 2.0);

    private protected override void Write(int item, Span<byte> report, IRandomSource random)
    {
        var positive = response.Randomize(true, random);

        // Uniform on the half with the wanted sign: draw any index, and if the sign is wrong flip one bit that row v + 1 looks at.
        var index = random.NextBelow(Size);
        if (IsPositive(item, index) != positive)
        {
            index ^= 1 << BitOperations.TrailingZeroCount(item + 1);
        }

        BinaryPrimitives.WriteInt32LittleEndian(report, index);
    }

    private protected override void Count(ReadOnlySpan<byte> report, Span<long> state)
    {
        var index = BinaryPrimitives.ReadInt32LittleEndian(report);
        if ((uint)index >= (uint)Size)
        {
            throw Malformed(Name, $"index {index} of {Size}");
        }

        state[index]++;
    }

    private protected override void Supports(ReadOnlySpan<long> state, long reports, Span<double> supports)
    {
        var spectrum = state.ToArray();
        WalshHadamard.Transform(spectrum.AsSpan());
        for (var v = 0; v < supports.Length; v++)
        {
            supports[v] = (reports + spectrum[v + 1]) / 2.0;
        }
    }

    private static bool IsPositive(int item, int index) => (BitOperations.PopCount((uint)((item + 1) & index)) & 1) == 0;
}
