namespace Federated.Privacy.Central.Counters;

/// <summary>Publishes a running sum after every step, under one budget for the whole stream.</summary>
public interface IContinualCounter
{
    /// <summary>Steps counted so far.</summary>
    int Step { get; }

    /// <summary>Counts one step's value and returns the noised sum of all so far.</summary>
    /// <param name="value">In [0, the largest value a step may have]; the count of one event in event-level privacy.</param>
    long Add(long value);

    /// <summary>Variance of the noise in the sum published at a step (the first is 1).</summary>
    double Variance(int step);
}
