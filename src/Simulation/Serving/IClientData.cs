using Federated.Training.Data;

namespace Federated.Simulation.Serving;

/// <summary>Where a client of a served run has its examples from.</summary>
public interface IClientData
{
    /// <summary>The number of training examples where it is known before the run's plan is; else null.</summary>
    int? Examples { get; }

    /// <summary>The examples, in the form that the plan says. Called once; may load files.</summary>
    /// <exception cref="Training.TrainingException">There are none, or they are not of the plan's form.</exception>
    ClientExamples Load(ClientPlan plan);
}

/// <summary>A client's own examples.</summary>
/// <param name="TrainSet">The set that <paramref name="Train"/> are indices into; may be shared with other clients.</param>
/// <param name="Train">The client's training examples; at least one.</param>
/// <param name="TestSet">The set that <paramref name="Test"/> are indices into.</param>
/// <param name="Test">Examples held out for the client's own evaluation; may be empty.</param>
public sealed record ClientExamples(DataSet TrainSet, int[] Train, DataSet TestSet, int[] Test);
