using System.Buffers;
using System.Numerics;
using Federated.Aggregation.Compression.Feedback;
using Federated.Coordinator.Models;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;

namespace Federated.Simulation.Engine;

/// <summary>One client's training, from its dispatch until its delta is used up. Objects are used again; a pool owns them.</summary>
internal sealed class TrainingJob<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private volatile JobState state;

    /// <summary>The parameters to start from; held until the job is released.</summary>
    public ModelVersion<T> Version { get; private set; } = null!;

    public int Client { get; private set; }

    public int Steps { get; private set; }

    public ulong Seed { get; private set; }

    /// <summary>Factor on the learning rate.</summary>
    public double RateFactor { get; private set; }

    /// <summary>Virtual time at which the delta will be asked for.</summary>
    public double Due { get; private set; }

    /// <summary>What the objective exchanges; null when that is nothing.</summary>
    public LocalExchange<T>? Exchange { get; private set; }

    /// <summary>Encodes the delta; null when it travels as it is.</summary>
    public IUpdateEncoder<T>? Encoder { get; private set; }

    /// <summary>The encoded delta; empty when it travels as it is.</summary>
    public ArrayBufferWriter<byte> Message { get; } = new();

    /// <summary>d values, once the job is done: what the client has learned, before it is encoded.</summary>
    public T[]? Delta { get; set; }

    /// <summary>ℓ2 norm of the delta, where somebody measures; NaN otherwise.</summary>
    public double Norm { get; set; } = double.NaN;

    public LocalResult Result { get; set; }

    /// <summary>What went wrong on the worker, to be thrown where the job is awaited.</summary>
    public Exception? Error { get; set; }

    /// <summary>How often this object was used: an entry of a queue with another number is stale.</summary>
    public int Generation { get; private set; }

    /// <summary>Changed under the pool's lock; may be looked at without it.</summary>
    public JobState State
    {
        get => state;
        set => state = value;
    }

    public void Reset(
        ModelVersion<T> version, int client, int steps, ulong seed, double rateFactor, double due, LocalExchange<T>? exchange, IUpdateEncoder<T>? encoder)
    {
        (Version, Client, Steps, Seed, RateFactor, Due) = (version, client, steps, seed, rateFactor, due);
        (Exchange, Encoder) = (exchange, encoder);
        Message.ResetWrittenCount();
        (Delta, Norm, Result, Error, State) = (null, double.NaN, default, null, JobState.Pending);
        Generation++;
    }
}

internal enum JobState
{
    Pending,
    Running,
    Done,

    /// <summary>Released while it ran; the worker gives its buffers back.</summary>
    Abandoned,

    Released,
}
