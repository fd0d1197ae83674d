namespace Federated.Training.Data.Partitioning;

/// <summary>A partition as a table: how many examples of each class each client gets.</summary>
internal static class ClassPieces
{
    /// <summary>Deals each class's examples, in order, to the clients in ascending order.</summary>
    /// <param name="members">The examples of each class.</param>
    /// <param name="pieces">pieces[class, client]; the rows sum to at most the class's examples.</param>
    public static int[][] Deal(int[][] members, int[,] pieces)
    {
        var clients = pieces.GetLength(1);
        var shards = new int[clients][];
        var taken = new int[members.Length];
        for (var k = 0; k < clients; k++)
        {
            shards[k] = new int[Size(pieces, k)];
            var at = 0;
            for (var c = 0; c < members.Length; c++)
            {
                members[c].AsSpan(taken[c], pieces[c, k]).CopyTo(shards[k].AsSpan(at));
                taken[c] += pieces[c, k];
                at += pieces[c, k];
            }
        }

        return shards;
    }

    /// <summary>The smallest client's number of examples.</summary>
    public static int Smallest(int[,] pieces)
    {
        var smallest = int.MaxValue;
        for (var k = 0; k < pieces.GetLength(1); k++)
        {
            smallest = Math.Min(smallest, Size(pieces, k));
        }

        return smallest;
    }

    private static int Size(int[,] pieces, int client)
    {
        var size = 0;
        for (var c = 0; c < pieces.GetLength(0); c++)
        {
            size += pieces[c, client];
        }

        return size;
    }
}
