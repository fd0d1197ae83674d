namespace Federated.Client.Training;

/// <summary>What a training came to; the delta stands in the task.</summary>
/// <param name="Examples">n_i, the examples trained on.</param>
/// <param name="Steps">K_i, the local steps done; 1 or more.</param>
/// <param name="MeanLoss">Mean training loss over the steps; NaN keeps it to oneself.</param>
/// <param name="StepWeight">‖a_i‖₁ of FedNova; 0 means <paramref name="Steps"/>, which is right for plain SGD.</param>
public readonly record struct TrainingResult(double Examples, int Steps, double MeanLoss = double.NaN, double StepWeight = 0);
