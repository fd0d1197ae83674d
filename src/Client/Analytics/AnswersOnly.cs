using Federated.Client.Training;
using Federated.Privacy.Analytics;

namespace Federated.Client.Analytics;

/// <summary>A client that answers questions and trains nothing.</summary>
internal sealed class AnswersOnly(IAnalyst analyst) : ITrainer, IAnalyst
{
    public double Examples => 0;

    public TrainingResult Train(TrainingTask task, CancellationToken cancellation) =>
        throw new ClientException("This client answers questions, and the run asks it to train a model. Give it a trainer.");

    public AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation) => analyst.Answer(question, cancellation);
}
