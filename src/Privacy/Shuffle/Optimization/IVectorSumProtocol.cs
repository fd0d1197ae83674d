namespace Federated.Privacy.Shuffle.Optimization;

/// <summary>Estimates the sum of one bounded vector a client over a batch, privately: what a private optimiser asks of its trust model.</summary>
public interface IVectorSumProtocol
{
    string Name { get; }

    /// <summary>Clients that a batch needs for the guarantee.</summary>
    int MinimumClients { get; }

    /// <summary>Variance of the noise in one coordinate of the sum over a batch.</summary>
    double NoiseVariance(int clients);

    /// <summary>Adds one client's vector (clipped to the protocol's bound) to the batch.</summary>
    void Add(Span<double> vector);

    /// <summary>Ends the batch: writes the estimate of its sum and starts the next.</summary>
    void Release(Span<double> sum);
}
