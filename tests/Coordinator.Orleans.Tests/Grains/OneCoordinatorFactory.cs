using Federated.Coordinator.Analytics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Orleans.Tests.Grains;

/// <summary>Runs of which something is kept outside of their logs: <c>analysis</c>, <c>shuffled</c> or <c>secure-sum</c>.</summary>
internal sealed class OneCoordinatorFactory(string kind) : IRunFactory
{
    public RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs)
    {
        var parts = new TestFactory().Create(configuration, blobs);
        return kind switch
        {
            "analysis" => parts with { Sections = [new Question()] },
            "shuffled" => parts with
            {
                Shuffle = new ShuffleTerms
                {
                    Shufflers = ["a"], Minimum = 2, Target = 4, WindowSeconds = 1, ReportBytes = 64, Protection = new ProtectionMessage(ProtectionMessage.Shuffled, 1), IsByVersion = false,
                },
            },
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
