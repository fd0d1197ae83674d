namespace Federated.Training.LocalTraining;

/// <summary>Names of what can train a model.</summary>
public static class TrainerKinds
{
    /// <summary>The managed kernels of this project, in every build: choose it unless the model is not one of the built-in ones.</summary>
    public const string Managed = "managed";

    /// <summary>TorchSharp, in builds whose package feed has it: choose it for any other module, and for GPUs.</summary>
    public const string Torch = "torch";
}
