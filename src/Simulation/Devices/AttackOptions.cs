using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Simulation.Devices;

/// <summary>What Byzantine clients do; <c>kind</c> names it in configuration. The first clients, by id, are the attackers.</summary>
/// <remarks>
/// Attackers check in, train and report like everyone else; only their labels or the vectors that reach the aggregator are not honest.
/// The kinds that collude are omniscient, as in their papers: they see the honest updates of the version that their own go into.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(NoAttack), "none")]
[JsonDerivedType(typeof(SignFlipAttack), "sign-flip")]
[JsonDerivedType(typeof(LabelFlipAttack), "label-flip")]
[JsonDerivedType(typeof(AlieAttack), "alie")]
[JsonDerivedType(typeof(InnerProductAttack), "inner-product")]
public abstract record AttackOptions
{
    /// <summary>f.</summary>
    internal virtual int Count => 0;

    internal bool Includes(int client) => client < Count;
}

/// <summary>All clients are honest.</summary>
public sealed record NoAttack : AttackOptions;

/// <summary>Some clients are not.</summary>
public abstract record ByzantineAttack : AttackOptions
{
    /// <summary>f: clients 0 to f − 1 attack.</summary>
    /// <value>The default is 1. Must be 1 or more and below the number of clients.</value>
    [Range(1, int.MaxValue)]
    public int Attackers { get; init; } = 1;

    internal override int Count => Attackers;
}

/// <summary>Attackers send −scale times the update that they trained.</summary>
/// <remarks>As in Li, Xu, Chen, Giannakis, Ling, "RSA", AAAI 2019, https://arxiv.org/abs/1811.03761, where the scale is 4.</remarks>
public sealed record SignFlipAttack : ByzantineAttack
{
    /// <value>The default is 1. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Scale { get; init; } = 1;
}

/// <summary>Attackers train on wrong labels, C − 1 − y for y, and send what comes of it.</summary>
/// <remarks>The 9 − y on MNIST of Karimireddy, He, Jaggi, "Learning from History", ICML 2021, https://arxiv.org/abs/2012.10333.</remarks>
public sealed record LabelFlipAttack : ByzantineAttack;

/// <summary>"A little is enough": all attackers send μ − z·σ, coordinate by coordinate over the honest updates.</summary>
/// <remarks>
/// Baruch, Baruch, Goldberg, NeurIPS 2019, Algorithm 3, https://arxiv.org/abs/1902.06156. Deviation: z is given, not derived from n and f;
/// σ is the population's standard deviation (divided by the number of updates). A version without honest updates takes the attackers' own.
/// </remarks>
public sealed record AlieAttack : ByzantineAttack
{
    /// <summary>z, how many standard deviations from the mean.</summary>
    /// <value>The default is 1.5, the paper's for MNIST. Must be 0 or more.</value>
    [Range(0.0, double.MaxValue)]
    public double Deviations { get; init; } = 1.5;
}

/// <summary>"Fall of empires": all attackers send −ε times the mean of the honest updates.</summary>
/// <remarks>
/// Xie, Koyejo, Gupta, UAI 2019, §3, https://arxiv.org/abs/1903.03936: inner product manipulation. The mean of n updates of which f attack is
/// turned around where ε·f &gt; n − f. A version without honest updates takes the attackers' own.
/// </remarks>
public sealed record InnerProductAttack : ByzantineAttack
{
    /// <summary>ε.</summary>
    /// <value>The default is 1.1. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Epsilon { get; init; } = 1.1;
}
