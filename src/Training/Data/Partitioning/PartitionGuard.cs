namespace Federated.Training.Data.Partitioning;

/// <summary>The checks that partitioners share.</summary>
internal static class PartitionGuard
{
    /// <summary>Fails unless every client can get at least <paramref name="minimum"/> examples.</summary>
    public static void Require(string partitioner, int examples, int clients, int minimum = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clients);
        if ((long)clients * minimum > examples)
        {
            throw new TrainingException(
                $"Partition '{partitioner}': {clients} clients with at least {minimum} {(minimum == 1 ? "example" : "examples")} each need "
                + $"{(long)clients * minimum}; the training set has {examples}. Use fewer clients or more data.");
        }
    }

    /// <summary>Draws pieces[class, client] until the smallest client has <paramref name="minimum"/> examples, or fails after so many attempts.</summary>
    public static int[,] Retry(string partitioner, int attempts, int minimum, Func<int[,]> draw, string remedy)
    {
        var best = 0;
        for (var attempt = 0; attempt < attempts; attempt++)
        {
            var pieces = draw();
            var smallest = ClassPieces.Smallest(pieces);
            if (smallest >= minimum)
            {
                return pieces;
            }

            best = Math.Max(best, smallest);
        }

        throw new TrainingException(
            $"Partition '{partitioner}': after {attempts} draws no split gives every client at least {minimum} examples; the best left the smallest client with {best}. {remedy}");
    }

    /// <summary>Fails if a client got nothing.</summary>
    public static int[][] NoneEmpty(string partitioner, int[][] clients, string remedy)
    {
        var empty = 0;
        var first = -1;
        for (var i = 0; i < clients.Length; i++)
        {
            if (clients[i].Length == 0)
            {
                empty++;
                first = first < 0 ? i : first;
            }
        }

        return empty == 0
            ? clients
            : throw new TrainingException(
                $"Partition '{partitioner}': {empty} of {clients.Length} clients got no example (the first is client {first}); every client needs at least 1. {remedy}");
    }
}
