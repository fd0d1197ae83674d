using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.LocalTraining;

/// <summary>What computes the clients' training; <c>kind</c> names it in configuration (see <see cref="TrainerKinds"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ManagedTrainerOptions), TrainerKinds.Managed)]
[JsonDerivedType(typeof(TorchTrainerOptions), TrainerKinds.Torch)]
public abstract record TrainerOptions;

/// <summary>The built-in kernels, in every build: no options.</summary>
public sealed record ManagedTrainerOptions : TrainerOptions;

/// <summary>TorchSharp, in builds whose package feed has it. Parameters travel in float32 whatever it computes in.</summary>
public sealed record TorchTrainerOptions : TrainerOptions
{
    /// <summary>Where it computes.</summary>
    /// <value>The default is <c>cpu</c>. <c>cpu</c>, <c>cuda</c>, or <c>cuda:1</c> for the second GPU.</value>
    [Required, RegularExpression("cpu|cuda|cuda:[0-9]+")]
    public string Device { get; init; } = "cpu";

    /// <summary>Number format of forward and backward passes.</summary>
    /// <value>The default is <see cref="TorchPrecision.Float32"/>.</value>
    public TorchPrecision Precision { get; init; }

    /// <summary>What becomes of a module's floating-point buffers, such as the running statistics of batch normalisation.</summary>
    /// <value>The default is <see cref="BufferPolicy.Travel"/>.</value>
    public BufferPolicy Buffers { get; init; }

    /// <summary>
    /// Threads within one operation, for the whole process. Results are the same to the bit on any number of simulation threads only
    /// when it is 1.
    /// </summary>
    /// <value>The default is 1: parallel work is over clients. Must be in 1..1024.</value>
    [Range(1, 1024)]
    public int OperatorThreads { get; init; } = 1;

    /// <summary>
    /// Whether the module draws random numbers in a way that cannot be seen from its layers. Modules with dropout layers are recognised;
    /// their clients train one after the other, each from its task's seed, so that results do not depend on the order.
    /// </summary>
    /// <value>The default is false.</value>
    public bool DrawsRandomNumbers { get; init; }
}

/// <summary>Number formats of forward and backward passes; parameters, sums of gradients and the optimizer's state are float32 in each.</summary>
public enum TorchPrecision
{
    /// <summary>Single precision throughout.</summary>
    Float32,

    /// <summary>bfloat16 copies of the parameters and of the activations; needs no loss scaling.</summary>
    Bfloat16,

    /// <summary>float16, with a loss scale that follows the gradients; on GPUs only.</summary>
    Float16,
}

/// <summary>What becomes of floating-point buffers that are not trained. Integer buffers (counters) never travel.</summary>
public enum BufferPolicy
{
    /// <summary>They travel with the parameters and are averaged like them, as FedAvg over a state_dict does.</summary>
    Travel,

    /// <summary>They stay with this trainer from one task to the next: FedBN where one trainer serves one client; not for simulation.</summary>
    Keep,

    /// <summary>Every task starts from the module's initial buffers, and nothing of them travels.</summary>
    Reset,
}
