using System.CommandLine;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;

namespace Federated.Cli.Privacy;

/// <summary>The options that describe a mechanism and its repetitions, and the event that they mean.</summary>
internal sealed class Mechanism
{
    private static readonly string[] Names = ["gaussian", "laplace", "discrete-gaussian", "skellam", "pure", "randomized-response", "shuffled"];

    private readonly Option<string> name = new("--mechanism") { Description = $"One of {string.Join(", ", Names)}.", HelpName = "NAME", DefaultValueFactory = _ => "gaussian" };
    private readonly Option<double?> sigma = new("--sigma") { Description = "Noise: standard deviation (gaussian) or scale (laplace) over the sensitivity; in grid units for discrete-gaussian and skellam.", HelpName = "NUMBER" };
    private readonly Option<int> sensitivity = new("--sensitivity") { Description = "Integer sensitivity of discrete-gaussian and skellam.", HelpName = "COUNT", DefaultValueFactory = _ => 1 };
    private readonly Option<double?> epsilon0 = Shared.Epsilon0();
    private readonly Option<int> categories = new("--categories") { Description = "Categories of randomized-response.", HelpName = "COUNT", DefaultValueFactory = _ => 2 };
    private readonly Option<double?> probability = new("--q") { Description = "Poisson sampling: probability of each unit in each step (add-remove).", HelpName = "NUMBER" };
    private readonly Option<long?> sample = new("--sample") { Description = "Fixed-size sampling: units drawn of --n in each step (replace-one).", HelpName = "COUNT" };
    private readonly Option<long?> reports = Shared.Reports();
    private readonly Option<string?> adjacency = new("--adjacency") { Description = "add-remove, replace-one or zero-out; by default what the sampling is stated for.", HelpName = "NAME" };
    private readonly Option<string> unit = Shared.Unit("client");

    public Option<long?> Steps { get; } = new("--steps") { Description = "Number of repetitions (default 1).", HelpName = "COUNT" };

    public string NameIn(ParseResult parsed) => parsed.GetValue(name)!;

    public void AddTo(Command command, bool withNoise = true, bool withSteps = true)
    {
        Option[] all = [name, .. withNoise ? [sigma] : Array.Empty<Option>(), sensitivity, epsilon0, categories, probability, sample, reports,
            .. withSteps ? [Steps] : Array.Empty<Option>(), adjacency, unit];
        foreach (var option in all)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The event of one step, with the noise given on the command line.</summary>
    public PrivacyEvent OneStep(ParseResult parsed) => OneStep(parsed, NameIn(parsed) switch
    {
        "pure" or "randomized-response" or "shuffled" => Shared.Need(parsed.GetValue(epsilon0), "--epsilon0", "the local guarantee of the mechanism"),
        _ => Shared.Need(parsed.GetValue(sigma), "--sigma", "the mechanism's noise"),
    });

    /// <summary>The event of one step at a noise level: σ, or ε₀ for mechanisms that are given by it.</summary>
    public PrivacyEvent OneStep(ParseResult parsed, double level)
    {
        var relation = Relation(parsed);
        MechanismEvent mechanism = NameIn(parsed) switch
        {
            "gaussian" => new GaussianEvent(relation, level),
            "laplace" => new LaplaceEvent(relation, level),
            "discrete-gaussian" => new DiscreteGaussianEvent(relation, Square(level), parsed.GetValue(sensitivity)),
            "skellam" => new SkellamEvent(relation, Square(level), parsed.GetValue(sensitivity), parsed.GetValue(sensitivity)),
            "pure" => new PureEvent(relation, level),
            "randomized-response" => new RandomizedResponseEvent(relation, level, parsed.GetValue(categories)),
            "shuffled" => new ShuffledEvent(
                relation.Unit, LocalRandomizer.Generic(level), Shared.Need(parsed.GetValue(reports), "--n", "the number of reports in a shuffled batch")),
            var other => throw new CommandException(ExitCodes.Usage, $"There is no mechanism '{other}'; there are {string.Join(", ", Names)}."),
        };
        if (parsed.GetValue(probability) is { } q)
        {
            return new PoissonSampledEvent(q, mechanism);
        }

        return parsed.GetValue(sample) is { } m
            ? new FixedSizeSampledEvent(Shared.Need(parsed.GetValue(reports), "--n", "the clients that --sample draws from"), m, mechanism)
            : mechanism;
    }

    /// <summary>The repetitions asked for.</summary>
    public long StepsIn(ParseResult parsed)
    {
        var steps = parsed.GetValue(Steps) ?? 1;
        return steps >= 1 ? steps : throw new CommandException(ExitCodes.Usage, $"--steps must be 1 or more; there is {steps}.");
    }

    private NeighbourRelation Relation(ParseResult parsed)
    {
        if (parsed.GetValue(probability) is not null && parsed.GetValue(sample) is not null)
        {
            throw new CommandException(ExitCodes.Usage, "--q and --sample are two ways to sample; give one of them.");
        }

        var local = NameIn(parsed) is "randomized-response" or "shuffled";
        var standard = local || parsed.GetValue(sample) is not null ? "replace-one" : "add-remove";
        return new NeighbourRelation(Shared.ParseUnit(parsed.GetValue(unit)!), (parsed.GetValue(adjacency) ?? standard) switch
        {
            "add-remove" when !local => Adjacency.AddRemove,
            "zero-out" when !local => Adjacency.ZeroOut,
            "replace-one" => Adjacency.ReplaceOne,
            "add-remove" or "zero-out" => throw new CommandException(
                ExitCodes.Usage, $"{NameIn(parsed)} compares two values of the same report: --adjacency must be replace-one."),
            var other => throw new CommandException(ExitCodes.Usage, $"--adjacency must be add-remove, replace-one or zero-out; there is '{other}'."),
        });
    }

    // A negative σ must not pass as its square.
    private static double Square(double sigma) => sigma > 0
        ? sigma * sigma
        : throw new CommandException(ExitCodes.Usage, $"--sigma must be positive; there is {sigma}.");
}
