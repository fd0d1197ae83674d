using System.Numerics;
using System.Numerics.Tensors;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Simulation.Devices;
using Federated.Training.Data;

namespace Federated.Simulation.Engine;

/// <summary>The Byzantine clients of a simulation: they stand between trained updates and the aggregator.</summary>
/// <remarks>
/// Colluding attackers (<see cref="AlieAttack"/>, <see cref="InnerProductAttack"/>) must know the honest updates first, so theirs are folded
/// in just before the version is published, whenever they arrived; aggregators do not depend on the order. Memory: n·d for those.
/// </remarks>
internal sealed class Attackers<T>(AttackOptions options)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly List<T[]> honest = [];
    private readonly List<(Accumulate Effect, T[] Delta, T[] Base)> waiting = [];

    private bool Collude => options is AlieAttack or InnerProductAttack;

    /// <summary>The set that a client trains on, given the true one.</summary>
    public static Func<int, DataSet> TrainingSets(AttackOptions options, DataSet train)
    {
        if (options is not LabelFlipAttack)
        {
            return _ => train;
        }

        var labels = Array.ConvertAll(train.Labels, label => train.Classes - 1 - label);
        var flipped = new DataSet(train.Name, train.Features, labels, train.ExampleShape, train.Classes);
        return client => options.Includes(client) ? flipped : train;
    }

    /// <summary>Whether a client's update is one that attackers change or must know; all others may stay encoded.</summary>
    public bool See(int client) => Collude || (options is SignFlipAttack && options.Includes(client));

    /// <summary>Folds a client's update in, or what an attacker sends in its place.</summary>
    public void Accumulate(
        ModelState<T> state, Accumulate effect, ReadOnlySpan<T> delta, ReadOnlySpan<T> baseModel, IReadOnlyDictionary<string, ReadOnlyMemory<T>>? extras)
    {
        var attacks = options.Includes(effect.Assignment.Client.Value);
        if (attacks && Collude)
        {
            waiting.Add((effect, delta.ToArray(), baseModel.ToArray()));
            return;
        }

        if (Collude)
        {
            honest.Add(delta.ToArray());
        }

        if (attacks && options is SignFlipAttack flip)
        {
            var flipped = new T[delta.Length];
            TensorPrimitives.Multiply(delta, T.CreateChecked(-flip.Scale), flipped);
            delta = flipped;
        }

        state.Accumulate(effect, delta, baseModel, extras);
    }

    /// <summary>The version is about to be made: colluding attackers send now.</summary>
    public void Publish(ModelState<T> state)
    {
        if (waiting.Count > 0)
        {
            var crafted = Craft(honest.Count > 0 ? honest : [.. waiting.Select(update => update.Delta)]);
            foreach (var (effect, _, baseModel) in waiting)
            {
                state.Accumulate(effect, crafted, baseModel);
            }
        }

        honest.Clear();
        waiting.Clear();
    }

    private T[] Craft(List<T[]> known)
    {
        var crafted = new T[known[0].Length];
        for (var j = 0; j < crafted.Length; j++)
        {
            double sum = 0, squares = 0;
            foreach (var update in known)
            {
                sum += double.CreateChecked(update[j]);
            }

            var mean = sum / known.Count;
            foreach (var update in known)
            {
                var distance = double.CreateChecked(update[j]) - mean;
                squares += distance * distance;
            }

            crafted[j] = T.CreateChecked(options switch
            {
                AlieAttack o => mean - (o.Deviations * Math.Sqrt(squares / known.Count)),
                InnerProductAttack o => -o.Epsilon * mean,
                _ => throw new InvalidOperationException($"{options.GetType().Name} does not collude."),
            });
        }

        return crafted;
    }
}
