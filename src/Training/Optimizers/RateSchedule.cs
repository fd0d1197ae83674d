namespace Federated.Training.Optimizers;

/// <summary>How the clients' learning rate falls over a run: a factor in (0, 1] by the run's progress.</summary>
public static class RateSchedule
{
    /// <summary>The factor that multiplies η for work that starts from a version.</summary>
    /// <param name="version">Versions published so far, 0 for the first assignments.</param>
    /// <param name="versions">Versions the run is to publish; ≤ 0 when open-ended, which only the cosine needs to know.</param>
    public static double Factor(RateScheduleOptions options, long version, long versions)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        return options switch
        {
            ConstantRate => 1.0,
            StepRate o => Math.Pow(o.Factor, version / o.Every),
            ExponentialRate o => Math.Pow(o.Factor, version),
            InverseSquareRootRate o => 1.0 / Math.Sqrt(1.0 + ((double)version / o.Warm)),
            CosineRate o when versions > 0 =>
                o.Floor + ((1.0 - o.Floor) * 0.5 * (1.0 + Math.Cos(Math.PI * Math.Min(1.0, (double)version / versions)))),
            CosineRate => throw new TrainingException(
                "A cosine schedule needs to know where the run ends; this run has no number of versions to stop at. Set one, or choose another schedule."),
            _ => throw new TrainingException($"No schedule for {options.GetType().Name}."),
        };
    }
}
