namespace Federated.Aggregation.ExampleWeights;

/// <summary>Names of the example weights.</summary>
public static class ExampleWeightNames
{
    /// <summary>Every client counts alike: fairness between clients, and FedBuff's choice.</summary>
    public const string Equal = "equal";

    /// <summary>Every example counts alike: FedAvg's choice, the pooled objective.</summary>
    public const string Examples = "examples";

    /// <summary>Between the two.</summary>
    public const string SquareRoot = "square-root";

    /// <summary>Nearly equal; tames counts that clients may overstate.</summary>
    public const string Logarithm = "logarithm";
}
