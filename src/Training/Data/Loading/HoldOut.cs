using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Loading;

/// <summary>Sets examples aside for testing.</summary>
internal static class HoldOut
{
    /// <summary>
    /// Draws a share of the examples such that each label's part of it is as its part of all: the total is the share rounded, and so is
    /// the total up to and including each label.
    /// </summary>
    /// <param name="examples">The examples to choose from.</param>
    /// <param name="labels">The label of every example there is.</param>
    /// <returns>The chosen examples, in ascending order.</returns>
    public static int[] Stratified(int[] examples, int[] labels, double share, SeededRandom random)
    {
        var chosen = new List<int>();
        var (seen, taken) = (0, 0);
        foreach (var group in examples.GroupBy(i => labels[i]).OrderBy(group => group.Key))
        {
            var members = group.ToArray();
            random.Shuffle(members.AsSpan());
            seen += members.Length;
            var upTo = (int)Math.Round(share * seen, MidpointRounding.AwayFromZero);
            chosen.AddRange(members.AsSpan(0, Math.Min(members.Length, upTo - taken)));
            taken = chosen.Count;
        }

        return [.. chosen.Order()];
    }
}
