using Federated.Coordinator.Hosting;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>Does for one run, on the silo that updates came to, what has to be done with each of them by itself; the key is the run's id.</summary>
[Alias("fed.aggregator")]
internal interface IAggregatorGrain : IGrainWithStringKey
{
    /// <summary>Reads an update's blobs from the store: whether they are there, are an update of this run's model, and are finite.</summary>
    /// <param name="made">When the run that is meant was created.</param>
    [Alias("check")]
    Task<Checked> CheckAsync(long made, [Immutable] UpdateSubmission submission, CancellationToken cancellation);
}

/// <summary>What a look at an update found.</summary>
/// <param name="Refusal">Why there is nothing to ask the run; null when it is to be asked.</param>
/// <param name="IsFinite">What the report has to say of it; null when nothing was found out, and the run has to look itself.</param>
[GenerateSerializer, Immutable, Alias("fed.checked")]
internal readonly record struct Checked([property: Id(0)] SubmitResult? Refusal, [property: Id(1)] bool? IsFinite);
