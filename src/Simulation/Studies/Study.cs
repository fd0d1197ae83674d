namespace Federated.Simulation.Studies;

/// <summary>
/// A numerical experiment on the privacy library that trains no model of a run: named, seeded, of seconds to minutes. The same seed gives the
/// same rows on every machine.
/// </summary>
public abstract class Study
{
    /// <summary>As it stands in the command line and in the folder of its results.</summary>
    public abstract string Name { get; }

    /// <summary>What it shows, in one sentence.</summary>
    public abstract string Description { get; }

    /// <summary>What a row's settings are called.</summary>
    public abstract IReadOnlyList<string> SettingColumns { get; }

    /// <summary>What a row's measured values are called.</summary>
    public abstract IReadOnlyList<string> ValueColumns { get; }

    /// <summary>One seed's rows, settings in the same order for every seed.</summary>
    /// <param name="seed">Of everything that is drawn.</param>
    /// <param name="largest">Sizes above it are left out; the study's own largest where it is 0.</param>
    /// <param name="cancellation">Ends it between rows.</param>
    public abstract IEnumerable<StudyRow> Run(ulong seed, long largest, CancellationToken cancellation);
}

/// <summary>One setting and what was measured at it.</summary>
/// <param name="Settings">As many as the study has setting columns.</param>
/// <param name="Values">As many as the study has value columns.</param>
public sealed record StudyRow(IReadOnlyList<string> Settings, IReadOnlyList<double> Values);
