using System.Globalization;
using Federated.Client.Analytics;
using Federated.Privacy.Analytics;

namespace Federated.EndToEnd.Serving;

/// <summary>One of those who are asked: of four in a row one is 10, one 50 and two are 30 years old, and every other's word is "to", the others' "be".</summary>
internal sealed class Person(int index) : IAnalyst
{
    public static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"person-{index:D5}");

    public AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation) => question is HeavyHittersOptions
        ? AnalysisAnswer.Of(index % 2 == 0 ? "to" : "be")
        : AnalysisAnswer.Of((index % 4) switch { 0 => 10, 1 => 50, _ => 30 });
}
