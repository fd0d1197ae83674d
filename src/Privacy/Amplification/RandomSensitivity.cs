namespace Federated.Privacy.Amplification;

/// <summary>The distribution of a sum of independent scaled coins, kept to a limited number of points by moving probability upwards only.</summary>
internal sealed class RandomSensitivity
{
    private const int WorkingPoints = 1024;
    private List<(double Value, double Mass)> points = [(0, 1)];

    public IReadOnlyList<(double Value, double Mass)> Points => points;

    /// <summary>Adds a coin that is worth <paramref name="value"/> with a probability.</summary>
    public void Add(double value, double probability)
    {
        if (value == 0 || probability == 0)
        {
            return;
        }

        var merged = new List<(double Value, double Mass)>(2 * points.Count);
        var (i, j) = (0, 0);
        while (i < points.Count || j < points.Count)
        {
            var without = i < points.Count ? points[i].Value : double.PositiveInfinity;
            var with = j < points.Count ? points[j].Value + value : double.PositiveInfinity;
            var mass = without <= with ? points[i].Mass * (1 - probability) : points[j].Mass * probability;
            var at = Math.Min(without, with);
            (i, j) = without <= with ? (i + 1, j) : (i, j + 1);
            if (merged.Count > 0 && at - merged[^1].Value <= 1e-12 * at)
            {
                merged[^1] = (at, merged[^1].Mass + mass);
            }
            else if (mass > 0)
            {
                merged.Add((at, mass));
            }
        }

        points = merged;
        Limit(WorkingPoints);
    }

    /// <summary>Moves probability to the next larger point where that costs least, until few enough points are left.</summary>
    public void Limit(int count)
    {
        if (points.Count <= count)
        {
            return;
        }

        var costs = points.Zip(points.Skip(1), (a, b) => a.Mass * (b.Value - a.Value)).Order().ToArray();
        var cutoff = Math.Max(costs[points.Count - count - 1], 1e-300);
        while (points.Count > count)
        {
            var kept = new List<(double Value, double Mass)>(points.Count);
            var carried = 0.0;
            for (var i = 0; i < points.Count; i++)
            {
                var mass = points[i].Mass + carried;
                var last = i == points.Count - 1;
                if (!last && mass * (points[i + 1].Value - points[i].Value) <= cutoff)
                {
                    carried = mass;
                }
                else
                {
                    kept.Add((points[i].Value, mass));
                    carried = 0;
                }
            }

            points = kept;
            cutoff *= 1.3;
        }
    }
}
