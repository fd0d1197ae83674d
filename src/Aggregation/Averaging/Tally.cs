namespace Federated.Aggregation.Averaging;

/// <summary>Sum of a few numbers per update (weights, steps) that, like the sum of the updates, does not depend on their order.</summary>
internal sealed class Tally
{
    private readonly ReproducibleSum<double> sum = new(1);

    public int Count => sum.Count;

    public double Total
    {
        get
        {
            Span<double> total = stackalloc double[1];
            sum.Read(total);
            return total[0];
        }
    }

    public void Add(double value) => sum.Add([value]);

    public void Reset() => sum.Reset();
}
