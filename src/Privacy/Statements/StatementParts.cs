using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;

namespace Federated.Privacy.Statements;

/// <summary>Who sees what under a policy, and what no policy protects.</summary>
internal static class StatementParts
{
    private const string Coordinator = "the coordinator";

    public static IReadOnlyList<StatementParty> Parties(string policy, PolicyTerms terms, StatementSetting setting) => policy switch
    {
        PrivacyPolicies.None when setting.SumThreshold > 0 => [Summed(setting, "as they are", isTrusted: true)],
        PrivacyPolicies.None => [new StatementParty(Coordinator, "every client's update as it is", IsTrusted: true)],
        PrivacyPolicies.Central when setting.SumThreshold > 0 => [Summed(setting, $"clipped to L2 norm {Bound(terms)}, without noise", isTrusted: true), Reader(terms)],
        PrivacyPolicies.Central =>
        [
            new StatementParty(Coordinator, $"every client's update, {(terms.ClipAdapts ? "and clips it itself" : $"clipped to L2 norm {Bound(terms)}")}, without noise, until it is added to a sum", IsTrusted: true),
            Reader(terms),
        ],
        PrivacyPolicies.Shuffle => [.. Shufflers(setting), new StatementParty(Coordinator, $"whole batches of {terms.MinimumBatch} or more reports, each randomised on its device with ε₀ = {Figures.Up(terms.ReportEpsilon)}, without their senders", IsTrusted: false)],
        PrivacyPolicies.Local => [new StatementParty(Coordinator, $"every client's report, randomised on its device with ε₀ = {Figures.Up(terms.ReportEpsilon)}", IsTrusted: false)],
        PrivacyPolicies.Example =>
        [
            new StatementParty(
                Coordinator,
                $"every client's update, learnt on its device from gradients that were clipped to L2 norm {Bound(terms)} example by example, with Gaussian noise of {Figures.Down(terms.NoiseMultiplier)} times that in every step",
                IsTrusted: false),
        ],
        PrivacyPolicies.SecureSum => [Others(terms), Opened(terms, "exact, without noise")],
        PrivacyPolicies.Distributed => [Others(terms), Opened(terms, $"with Gaussian noise of {Figures.Down(terms.NoiseMultiplier)} times the bound at least, of which every member adds its share")],
        _ => throw new PrivacyException($"There is no statement for the policy '{policy}'; write who sees what under it before it is used."),
    };

    public static IReadOnlyList<string> NotProtected(string policy, PolicyTerms terms, StatementSetting setting)
    {
        List<string> sentences = [];
        switch (policy)
        {
            case PrivacyPolicies.None:
                sentences.Add("Everything that an update, or a published version, tells of the data that it was computed from.");
                break;
            case PrivacyPolicies.Central:
                sentences.Add(setting.SumThreshold > 0
                    ? $"Sums of {setting.SumThreshold} or more updates, towards whoever controls the coordinator or breaks into it."
                    : "Single updates, towards whoever controls the coordinator or breaks into it.");
                sentences.Add("How many examples a client holds, where it tells the coordinator: operators and viewers of the run see it.");
                break;
            case PrivacyPolicies.Shuffle:
                sentences.Add("More than each report's own ε₀, towards a coordinator that colludes with the shuffler.");
                sentences.Add("The model, against clients that forge reports: noise hides them too, and no single report can be judged.");
                break;
            case PrivacyPolicies.Local:
                sentences.Add("The model, against clients that forge reports: the noise of honest ones gives cover.");
                break;
            case PrivacyPolicies.SecureSum:
                sentences.Add("What sums and published versions tell of the data behind them: no noise is added, and sums of sets of clients that differ in one tell what that one sent.");
                sentences.Add("Anything, against a coordinator that makes up members: identities are as good as the directory that clients know them from.");
                break;
            case PrivacyPolicies.Distributed:
                sentences.Add("More than the noise of a client's own share, against a coordinator that makes up members: identities are as good as the directory that clients know them from.");
                sentences.Add("The model, against clients that send what they like: no single update can be judged.");
                break;
        }

        if (policy == PrivacyPolicies.Example)
        {
            sentences.Add("A client as a whole, and whatever all of its examples have in common: single examples are hidden, k of them together only with k times the ε and a larger δ.");
            sentences.Add("The model, against clients that leave the clipping or the noise out, or forge updates.");
        }

        sentences.Add("That a client takes part, when, and from which address: the network and the coordinator see it.");
        if (policy is not (PrivacyPolicies.None or PrivacyPolicies.Example or PrivacyPolicies.SecureSum))
        {
            sentences.Add("What is true of many clients alike, and people whose data lie at several clients: each client is hidden, a group of k clients only with k times the ε and a larger δ.");
        }

        sentences.Add("What the device's own software sends beside the update, and the device itself.");
        return sentences;
    }

    private static StatementParty Reader(PolicyTerms terms) => new(
        "whoever is given the published versions or the metrics",
        terms.Mechanism == CentralMechanisms.DpFtrl
            ? "what has been released, with noise that is correlated over releases"
            : $"what has been released: sums, each with Gaussian noise of {Figures.Down(terms.NoiseMultiplier)} times the bound",
        IsTrusted: false);

    private static StatementParty Summed(StatementSetting setting, string how, bool isTrusted) => new(
        Coordinator, $"sums of the updates of {setting.SumThreshold} or more clients, {how}, and no single update as long as fewer than {setting.SumThreshold} of them collude with it", isTrusted);

    /// <summary>Masks cancel for whoever holds enough of their shares.</summary>
    private static StatementParty Others(PolicyTerms terms) => new(
        "the other clients of a session", $"nothing of its update but shares of keys; relied on that at most {terms.AssumedCorrupt} of them collude with the coordinator", IsTrusted: true);

    private static StatementParty Opened(PolicyTerms terms, string how) => new(
        Coordinator,
        $"sums of the updates of {terms.MinimumBatch} or more clients, clipped to L2 norm {Bound(terms)}, {how}, and no single update as long as at most {terms.AssumedCorrupt} of them collude with it",
        IsTrusted: false);

    private static IEnumerable<StatementParty> Shufflers(StatementSetting setting)
    {
        const string sees = "who sends a report and when, and nothing of what is in it; relied on to permute whole batches and not to collude with the coordinator";
        return setting.Shufflers.Count switch
        {
            0 => [new StatementParty(setting.IsSimulated ? "the shuffler (simulated)" : "the shuffler", sees, IsTrusted: true)],
            1 => [new StatementParty($"the shuffler {setting.Shufflers[0]}", sees, IsTrusted: true)],
            _ => [new StatementParty($"one at least of the shufflers {string.Join(", ", setting.Shufflers)}", sees, IsTrusted: true)],
        };
    }

    private static string Bound(PolicyTerms terms) => Figures.Up(terms.ClipNorm);
}
