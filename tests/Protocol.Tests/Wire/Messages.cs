using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Federated.Protocol.Wire;

namespace Federated.Protocol.Tests.Wire;

/// <summary>Messages of the wire, drawn at random from a fixed seed.</summary>
internal static class Messages
{
    public static Gen<string> Digest { get; } = Gen.Elements("0123456789abcdef".ToCharArray()).ArrayOf(64).Select(c => new string(c));

    public static Gen<double> Finite { get; } = Gen.OneOf(
        Gen.Constant(0.0),
        Gen.Choose(0, 1_000_000).Select(i => i / 1000.0),
        Gen.Choose(int.MinValue, int.MaxValue).Two().Select(p => p.Item1 * Math.ScaleB(1, p.Item2 % 900)));

    /// <summary>Text with what JSON must escape, and what it need not.</summary>
    public static Gen<string> Text { get; } = Gen.Elements("a", "Z", "\"", "\\", "\n", "é", "漢", "😀", "\u2028", "</script>", " ", "\u0001")
        .ArrayOf().Select(parts => string.Concat(parts));

    public static Gen<BlobReference> Blob { get; } = Digest.SelectMany(_ => Gen.Choose(0, int.MaxValue), (digest, length) => new BlobReference(digest, length * 3L));

    public static Gen<IReadOnlyDictionary<string, BlobReference>> Blobs { get; } = Text.SelectMany(_ => Blob, (name, blob) => (name, blob)).ArrayOf()
        .Select(pairs => (IReadOnlyDictionary<string, BlobReference>)pairs.DistinctBy(p => p.name).ToDictionary(p => p.name, p => p.blob));

    public static Gen<UpdateDeclaration> Declaration { get; } =
        from delta in Blob
        from extras in Blobs
        from numbers in Finite.ArrayOf(5)
        from loss in Finite
        from steps in Gen.Choose(1, int.MaxValue)
        from flags in Gen.Choose(0, 3)
        select new UpdateDeclaration
        {
            Delta = delta,
            Extras = extras,
            Examples = numbers[0],
            LocalSteps = steps,
            StepWeight = numbers[1],
            TrainingLoss = (flags & 1) == 0 ? null : loss,
            DownloadSeconds = numbers[2],
            TrainSeconds = numbers[3],
            Ready = (flags & 2) != 0,
        };

    public static Gen<AssignmentMessage> Assignment { get; } =
        from id in Gen.Choose(0, int.MaxValue)
        from model in Blob
        from extras in Blobs
        from numbers in Finite.ArrayOf(3)
        from text in Text
        from flags in Gen.Choose(0, 3)
        select new AssignmentMessage(
            id * 7L, id, id / 2, Math.Abs(numbers[0]), model, extras, Json(text), "top-k", ulong.MaxValue.ToString(CultureInfo.InvariantCulture), numbers[1])
        {
            SecondsLeft = (flags & 1) == 0 ? null : numbers[2],
            Privacy = (flags & 2) == 0 ? null : Json(text),
        };

    public static Gen<CheckInReply> Reply { get; } = Gen.OneOf(
        Assignment.Select(a => new CheckInReply { Assignment = a }),
        Text.SelectMany(_ => Finite, (reason, seconds) => new CheckInReply { Wait = new WaitMessage(reason, seconds) }),
        Blob.Select(model => new CheckInReply { Evaluation = new EvaluationMessage(3, model, Json("x")) }),
        Text.Select(reason => new CheckInReply { Over = new OverMessage(reason, 9) }));

    public static JsonElement Json(string text) => JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["text"] = text });

    /// <summary>Holds for a thousand draws of a fixed seed; the failing one is told.</summary>
    public static void Check<T>(Gen<T> draws, Action<T> holds) => Prop.ForAll(
        draws.ToArbitrary(),
        value =>
        {
            holds(value);
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithReplay(7, 9));
}
