namespace Federated.Privacy.Numerics;

/// <summary>Neumaier's compensated sum: the error stays near one rounding, however many terms.</summary>
internal struct CompensatedSum
{
    private double sum;
    private double compensation;

    public readonly double Value => sum + compensation;

    public void Add(double term)
    {
        var next = sum + term;
        compensation += Math.Abs(sum) >= Math.Abs(term) ? sum - next + term : term - next + sum;
        sum = next;
    }
}
