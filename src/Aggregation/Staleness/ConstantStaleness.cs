namespace Federated.Aggregation.Staleness;

/// <summary>s(τ) = 1.</summary>
public sealed record ConstantStaleness : StalenessWeight
{
    public override string Name => StalenessWeights.Constant;

    protected override double Raw(int staleness) => 1;
}
