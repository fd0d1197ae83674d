namespace Federated.Protocol;

/// <summary>How much an assignment asks for: a number of local steps, or passes over the client's data (whose size only it knows).</summary>
public readonly record struct LocalWork
{
    private LocalWork(int steps, double epochs) => (Steps, Epochs) = (steps, epochs);

    /// <summary>Local steps asked; 0 when the work is given in epochs.</summary>
    public int Steps { get; }

    /// <summary>Passes over the client's examples; 0 when the work is given in steps.</summary>
    public double Epochs { get; }

    public static LocalWork OfSteps(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        return new LocalWork(steps, 0);
    }

    public static LocalWork OfEpochs(double epochs)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(epochs);
        return new LocalWork(0, epochs);
    }

    /// <summary>K_i = E·⌈n_i/B⌉ (McMahan et al. 2017), at least 1; the last partial batch counts. Batch size 0 is the full batch.</summary>
    public int StepsFor(int examples, int batchSize)
    {
        if (Steps > 0)
        {
            return Steps;
        }

        var perEpoch = batchSize <= 0 ? 1 : (examples + batchSize - 1) / batchSize;
        return Math.Max(1, (int)Math.Ceiling(Epochs * perEpoch));
    }
}
