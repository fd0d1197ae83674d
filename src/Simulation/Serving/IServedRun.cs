using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Privacy.Statements;

namespace Federated.Simulation.Serving;

/// <summary>A configuration that has been checked for being served: a training, or a question.</summary>
internal interface IServedRun
{
    ExperimentConfiguration Configuration { get; }

    string StrategyInWords { get; }

    string DataInWords { get; }

    string ModelInWords { get; }

    PrivacyStatement Privacy { get; }

    /// <summary>Names of the shufflers that reports pass; none for most runs.</summary>
    IReadOnlyList<string> Shufflers { get; }

    /// <summary>Fresh parts, as for a new run.</summary>
    RunParts CreateParts(IBlobStore blobs);
}
