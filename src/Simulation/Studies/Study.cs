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
    /// <param name="input">Seed, sizes and data.</param>
    /// <param name="cancellation">Ends it between rows.</param>
    /// <exception cref="SimulationException">The data that it needs are not there; the message says where they are looked for.</exception>
    public abstract IEnumerable<StudyRow> Run(StudyInput input, CancellationToken cancellation);
}

/// <summary>What a study runs on.</summary>
/// <param name="Seed">Of everything that is drawn.</param>
/// <param name="Largest">Sizes above it are left out or cut; the study's own largest where it is 0.</param>
/// <param name="DataDirectory">Where data sets stand, a folder each.</param>
public sealed record StudyInput(ulong Seed, long Largest, string DataDirectory);

/// <summary>One setting and what was measured at it.</summary>
/// <param name="Settings">As many as the study has setting columns.</param>
/// <param name="Values">As many as the study has value columns.</param>
public sealed record StudyRow(IReadOnlyList<string> Settings, IReadOnlyList<double> Values);
