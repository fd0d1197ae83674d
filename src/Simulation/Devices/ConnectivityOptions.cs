using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>How clients reach the coordinator, and how often they fail to: the second knob of client heterogeneity.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(InstantConnectivity), "instant")]
[JsonDerivedType(typeof(ConstantConnectivity), "constant")]
[JsonDerivedType(typeof(LogNormalConnectivity), "lognormal")]
public abstract record ConnectivityOptions
{
    /// <summary>Probability that a task ends without its update; the moment is uniform over the task's time.</summary>
    /// <value>The default is 0. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Dropout { get; init; }

    /// <summary>Whether a client that drops out says so.</summary>
    /// <value>The default is <see cref="DroppingOut.Fail"/>.</value>
    public DroppingOut WhenDroppingOut { get; init; }

    /// <summary>Probability per task that the client leaves the run for good in the middle of it.</summary>
    /// <value>The default is 0. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Departure { get; init; }

    internal abstract Link LinkOf(ulong seed, int client);
}

/// <summary>How a dropout looks from the coordinator.</summary>
public enum DroppingOut
{
    /// <summary>The connection breaks: the coordinator knows at once.</summary>
    Fail,

    /// <summary>Silence: only a timeout ends the wait. Needs <c>run.clientTimeout</c> or a round deadline.</summary>
    Vanish,
}

/// <summary>A client's line. Rates are bytes per second (+∞ for instant transfer), the latency is seconds per transfer.</summary>
internal readonly record struct Link(double DownloadRate, double UploadRate, double Latency)
{
    public double DownloadSeconds(long bytes) => Latency + (bytes / DownloadRate);

    public double UploadSeconds(long bytes) => Latency + (bytes / UploadRate);
}

/// <summary>Transfers take no time.</summary>
public sealed record InstantConnectivity : ConnectivityOptions
{
    internal override Link LinkOf(ulong seed, int client) => new(double.PositiveInfinity, double.PositiveInfinity, 0);
}

/// <summary>Every client has the same line.</summary>
public sealed record ConstantConnectivity : ConnectivityOptions
{
    /// <value>The default is 2500000 (20 Mbit/s). Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double DownloadBytesPerSecond { get; init; } = 2_500_000;

    /// <value>The default is 625000 (5 Mbit/s). Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double UploadBytesPerSecond { get; init; } = 625_000;

    /// <summary>Seconds before the first byte of each transfer.</summary>
    /// <value>The default is 0.05. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double LatencySeconds { get; init; } = 0.05;

    internal override Link LinkOf(ulong seed, int client) => new(DownloadBytesPerSecond, UploadBytesPerSecond, LatencySeconds);
}

/// <summary>Each client has its own line, drawn once: rates and latency are lognormal around their medians.</summary>
public sealed record LogNormalConnectivity : ConnectivityOptions
{
    /// <value>Median over clients. The default is 2500000 (20 Mbit/s). Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double DownloadBytesPerSecond { get; init; } = 2_500_000;

    /// <value>Median over clients. The default is 625000 (5 Mbit/s). Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double UploadBytesPerSecond { get; init; } = 625_000;

    /// <summary>Seconds before the first byte of each transfer.</summary>
    /// <value>Median over clients. The default is 0.05. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double LatencySeconds { get; init; } = 0.05;

    /// <summary>σ of the logarithm of a client's rates; one factor for both directions.</summary>
    /// <value>The default is 1. Must be in [0, 5].</value>
    [Range(0.0, 5.0)]
    public double RateSigma { get; init; } = 1;

    /// <summary>σ of the logarithm of a client's latency.</summary>
    /// <value>The default is 0.5. Must be in [0, 5].</value>
    [Range(0.0, 5.0)]
    public double LatencySigma { get; init; } = 0.5;

    internal override Link LinkOf(ulong seed, int client)
    {
        var random = SeededRandom.Derive(seed, "link", client);
        var factor = random.NextLogNormal(0, RateSigma);
        return new Link(DownloadBytesPerSecond * factor, UploadBytesPerSecond * factor, LatencySeconds * random.NextLogNormal(0, LatencySigma));
    }
}
