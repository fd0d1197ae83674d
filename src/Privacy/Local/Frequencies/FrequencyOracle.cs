using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>What the oracles share: argument checks, the estimator and its variance.</summary>
public abstract class FrequencyOracle : IFrequencyOracle
{
    private protected FrequencyOracle(double epsilon, int items)
    {
        LocalEpsilon.Check(epsilon);
        if (items < 2)
        {
            throw new PrivacyException($"A frequency oracle needs at least 2 items; it has {items}.");
        }

        Items = items;
    }

    public abstract string Name { get; }

    public int Items { get; }

    public abstract double Epsilon { get; }

    public abstract double TrueSupport { get; }

    public abstract double FalseSupport { get; }

    public abstract int ReportBytes { get; }

    public abstract int ReportBits { get; }

    public virtual int StateLength => Items;

    public void Randomize(int item, Span<byte> report, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if ((uint)item >= (uint)Items)
        {
            throw new PrivacyException($"The item must be between 0 and {Items - 1}; it is {item}.");
        }

        CheckLength(report.Length);
        report.Clear();
        Write(item, report, random);
    }

    public void Accumulate(ReadOnlySpan<byte> report, Span<long> state)
    {
        CheckLength(report.Length);
        if (state.Length != StateLength)
        {
            throw new PrivacyException($"The state has {StateLength} counters; {state.Length} were given.");
        }

        Count(report, state);
    }

    public void Estimate(ReadOnlySpan<long> state, long reports, Span<double> frequencies)
    {
        if (state.Length != StateLength || frequencies.Length != Items || reports < 1)
        {
            throw new PrivacyException(
                $"Estimating {Items} frequencies needs {StateLength} counters and a report or more; given {state.Length}, {frequencies.Length} and {reports}.");
        }

        Supports(state, reports, frequencies);
        foreach (ref var frequency in frequencies)
        {
            frequency = ((frequency / reports) - FalseSupport) / (TrueSupport - FalseSupport);
        }
    }

    public abstract double Probability(int item, ReadOnlySpan<byte> report);

    /// <summary>n·Var[f̂_v] for an item of true frequency <paramref name="frequency"/>.</summary>
    public double VariancePerReport(double frequency)
    {
        var (p, q) = (TrueSupport, FalseSupport);
        return ((frequency * p * (1 - p)) + ((1 - frequency) * q * (1 - q))) / ((p - q) * (p - q));
    }

    private protected abstract void Write(int item, Span<byte> report, IRandomSource random);

    private protected abstract void Count(ReadOnlySpan<byte> report, Span<long> state);

    /// <summary>C_v for every item.</summary>
    private protected virtual void Supports(ReadOnlySpan<long> state, long reports, Span<double> supports)
    {
        for (var v = 0; v < supports.Length; v++)
        {
            supports[v] = state[v];
        }
    }

    private protected static PrivacyException Malformed(string oracle, string what) =>
        new($"The bytes are no {oracle} report: {what}. Drop it and count it as rejected.");

    private void CheckLength(int length)
    {
        if (length != ReportBytes)
        {
            throw new PrivacyException($"A {Name} report has {ReportBytes} bytes; this one has {length}.");
        }
    }
}
