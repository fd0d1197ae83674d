using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>Updates pass as they are; nothing is guaranteed, and nothing is said to be.</summary>
internal sealed class NoPolicy<T> : PrivacyPolicy<T>, IClientProtection<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private int releases;

    public override string Kind => PrivacyPolicies.None;

    public override bool TakesPlainSum => false;

    public override PrivacyGuarantee? Planned => null;

    public override PrivacyGuarantee? Spent => null;

    public override PolicyTerms Terms { get; } = new();

    public override long ReportBytes => 0;

    public override ParticipationLimits Limits => ParticipationLimits.None;

    public override IClientProtection<T> CreateClient() => this;

    public override string? RefusalFor(int client) => null;

    public override string? Admit(int client, Span<T> delta, double weight) => null;

    public override string? RefusalToRelease(int updates) => null;

    public override void Release(Span<T> combined, int updates) => releases++;

    public override PolicyState<T> Save() => new(releases, 0, ImmutableDictionary<int, (int, int)>.Empty, []);

    public override void Restore(PolicyState<T> state) => releases = state.Releases;

    public ClipReport Protect(Span<T> delta, IRandomSource random) => new(0, Clipped: false, WasFinite: true);
}
