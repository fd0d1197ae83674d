using System.Numerics;

namespace Federated.Training.LocalObjectives;

/// <summary>Names of the local objectives.</summary>
public static class LocalObjectiveKinds
{
    /// <summary>The client's own loss: FedAvg, FedBuff, FedNova and all that differ only at the server.</summary>
    public const string None = "none";

    /// <summary>FedProx: choose it when clients do very different amounts of work on very different data.</summary>
    public const string FedProx = "fedprox";

    /// <summary>SCAFFOLD: choose it when clients come back often enough for their state to be fresh; twice the bytes.</summary>
    public const string Scaffold = "scaffold";

    /// <summary>FedDyn: choose it as SCAFFOLD without the extra bytes, with one more parameter to tune.</summary>
    public const string FedDyn = "feddyn";

    /// <summary>FedSpeed: FedDyn with flatter minima, at twice the computing.</summary>
    public const string FedSpeed = "fedspeed";

    /// <summary>Makes the objective that <paramref name="options"/> describe; one per worker.</summary>
    public static ILocalObjective<T> Create<T>(LocalObjectiveOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            PlainObjectiveOptions => new PlainObjective<T>(),
            FedProxOptions o => new FedProx<T>(o),
            ScaffoldOptions o => new Scaffold<T>(o),
            FedDynOptions o => new FedDyn<T>(o),
            FedSpeedOptions o => new FedSpeed<T>(o),
            _ => throw new TrainingException($"No local objective for {options?.GetType().Name ?? "null"}."),
        };
}
