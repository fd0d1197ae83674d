using Federated.Coordinator.Analytics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Tests.Hosting;

namespace Federated.Coordinator.Orleans.Tests.Grains;

/// <summary>Runs of which something is kept outside of their logs: <c>analysis</c> or <c>secure-sum</c>.</summary>
internal sealed class OneCoordinatorFactory(string kind) : IRunFactory
{
    public RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs)
    {
        var parts = new TestFactory().Create(configuration, blobs);
        return kind switch
        {
            "analysis" => parts with { Sections = [new Question()] },
            _ => parts with { SecureSum = new SecureSumParts(null!, (_, _, _) => []) },
        };
    }

    private sealed class Question : IRunSection, IAnalysisOutcome
    {
        public string Name => "question";

        public AnalysisOutcome? Outcome => null;

        public void Apply(in LoggedEvent logged, IReadOnlyList<RunEffect> effects)
        {
        }

        public void Save(BinaryWriter writer)
        {
        }

        public void Load(BinaryReader reader)
        {
        }
    }
}
