using System.Numerics;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Simulation.Engine;

/// <summary>One evaluation, cut into pieces that threads take one by one. The pieces and the order of their sums are fixed.</summary>
/// <param name="parameters">d values; not written while the pass is on.</param>
/// <param name="set">Where the examples stand.</param>
/// <param name="examples">Indices into the set.</param>
internal sealed class EvaluationPass<T>(T[] parameters, DataSet set, int[] examples)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Examples per piece: enough for the matrix kernels, few enough to share the work evenly.</summary>
    private const int PieceSize = 256;

    private readonly Evaluation[] sums = new Evaluation[(examples.Length + PieceSize - 1) / PieceSize];
    private int taken;
    private int done;
    private Exception? error;

    /// <summary>Whether a piece is left to take.</summary>
    public bool HasWork => Volatile.Read(ref taken) < sums.Length;

    /// <summary>Takes pieces until none is left.</summary>
    public void Help(Worker<T> worker)
    {
        int piece;
        while ((piece = Interlocked.Increment(ref taken) - 1) < sums.Length)
        {
            try
            {
                var start = piece * PieceSize;
                sums[piece] = worker.Evaluate(parameters, set, examples.AsSpan(start, Math.Min(PieceSize, examples.Length - start)));
            }
            catch (Exception e)
            {
                error = e;
            }

            Interlocked.Increment(ref done);
        }
    }

    /// <summary>Waits for the pieces that other threads have taken: no longer than one piece takes.</summary>
    public void Wait()
    {
        var spins = new SpinWait();
        while (Volatile.Read(ref done) < sums.Length)
        {
            spins.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>The pieces' sums, added in the order of the examples.</summary>
    public Evaluation Sum()
    {
        if (error is not null)
        {
            throw new SimulationException($"The evaluation failed: {error.Message}", error);
        }

        var sum = default(Evaluation);
        foreach (var piece in sums)
        {
            sum += piece;
        }

        return sum;
    }
}
