namespace Federated.Protocol;

/// <summary>
/// How much an assignment asks for: a number of local steps, passes over the client's data (whose size only it knows), or nothing in
/// particular: the default value leaves the effort to the client (anarchic participation).
/// </summary>
public readonly record struct LocalWork
{
    private LocalWork(int steps, double epochs) => (Steps, Epochs) = (steps, epochs);

    /// <summary>Local steps asked; 0 when the work is given in epochs or left to the client.</summary>
    public int Steps { get; }

    /// <summary>Passes over the client's examples; 0 when the work is given in steps or left to the client.</summary>
    public double Epochs { get; }

    /// <summary>True when the client chooses how many steps it does.</summary>
    public bool IsClientsChoice => Steps == 0 && Epochs == 0;

    public static LocalWork ClientsChoice => default;

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

    /// <summary>
    /// Local steps for a client with so many examples: K_i = E·⌈n_i/B⌉ (McMahan et al. 2017, the last partial batch counts), at least 1.
    /// Batch size 0 is the full batch.
    /// </summary>
    /// <exception cref="InvalidOperationException">The work is the client's choice.</exception>
    public int StepsFor(int examples, int batchSize)
    {
        if (IsClientsChoice)
        {
            throw new InvalidOperationException("The work is left to the client; only its own participation policy knows the steps.");
        }

        if (Steps > 0)
        {
            return Steps;
        }

        var perEpoch = batchSize <= 0 ? 1 : (examples + batchSize - 1) / batchSize;
        return Math.Max(1, (int)Math.Ceiling(Epochs * perEpoch));
    }
}
