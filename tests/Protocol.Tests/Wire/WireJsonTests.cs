using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FsCheck.Fluent;
using Federated.Privacy.Pipeline;
using Federated.Protocol.Wire;

namespace Federated.Protocol.Tests.Wire;

public static class WireJsonTests
{
    public sealed class RoundTrips
    {
        [Fact]
        public void KeepADeclaration() => Messages.Check(Messages.Declaration, m => RoundTrip(m, WireJson.Default.UpdateDeclaration));

        [Fact]
        public void KeepAReplyToACheckIn() => Messages.Check(Messages.Reply, m => RoundTrip(m, WireJson.Default.CheckInReply));

        [Fact]
        public void KeepAnOutcome() => Messages.Check(
            Messages.Text.SelectMany(_ => Messages.Reply, (text, next) => new UpdateOutcomeMessage(text.Length % 2 == 0, text, text, text.Length % 3 == 0 ? null : next)),
            m => RoundTrip(m, WireJson.Default.UpdateOutcomeMessage));

        [Fact]
        public void KeepWhatIsStillToBeUploaded() => Messages.Check(
            Messages.Digest.ArrayOf(), digests => RoundTrip(new UpdateReply(digests.Distinct().ToDictionary(d => d, d => $"/v1/uploads/{d}")), WireJson.Default.UpdateReply));

        [Fact]
        public void KeepTheSmallMessages() => Messages.Check(Messages.Text, text =>
        {
            RoundTrip(new EnrolmentRequest(text, text, text), WireJson.Default.EnrolmentRequest);
            RoundTrip(new EnrolmentReply(text, text), WireJson.Default.EnrolmentReply);
            RoundTrip(new TokenRequest(text), WireJson.Default.TokenRequest);
            RoundTrip(new TokenReply(text, text.Length), WireJson.Default.TokenReply);
            RoundTrip(new CheckInRequest(text.Length, 0.5), WireJson.Default.CheckInRequest);
            RoundTrip(new FailRequest(text), WireJson.Default.FailRequest);
            RoundTrip(new AssignmentStateMessage(text, text.Length % 2 == 0 ? null : 0.25), WireJson.Default.AssignmentStateMessage);
            RoundTrip(new EvaluationReport(1, 0.5, text.Length), WireJson.Default.EvaluationReport);
        });

        // The text says everything, so that equal texts are equal messages: records compare their dictionaries by reference.
        private static void RoundTrip<T>(T message, JsonTypeInfo<T> type)
        {
            var text = JsonSerializer.Serialize(message, type);
            var again = JsonSerializer.Deserialize(text, type);
            Assert.Equal(text, JsonSerializer.Serialize(again!, type));
        }
    }

    public sealed class Strictness
    {
        [Theory]
        [InlineData("""{"delta": {"sha256": "aa", "length": 1}, "examples": 1, "localSteps": 1, "surprise": 1}""")]
        [InlineData("""{"examples": 1, "localSteps": 1}""")]
        [InlineData("""{"delta": null, "examples": 1, "localSteps": 1}""")]
        [InlineData("""{"delta": {"sha256": "aa"}, "examples": 1, "localSteps": 1}""")]
        [InlineData("""{"delta": {"sha256": "aa", "length": 1.5}, "examples": 1, "localSteps": 1}""")]
        [InlineData("""{"delta": {"sha256": "aa", "length": 1}, "examples": NaN, "localSteps": 1}""")]
        [InlineData("""{"delta": {"sha256": "aa", "length": 1}, "examples": "1", "localSteps": 1}""")]
        [InlineData("""{"delta": {"sha256": "aa", "length": 1}, "examples": 1, "localSteps": 99999999999}""")]
        [InlineData("""[]""")]
        [InlineData("")]
        public void RefusesWhatIsNoDeclaration(string text) =>
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(text, WireJson.Default.UpdateDeclaration));

        [Theory]
        [InlineData(typeof(UpdateDeclaration), """{"delta": {"sha256": "aa", "length": 1}, "extras": {"control": null}, "examples": 1, "localSteps": 1}""")]
        [InlineData(typeof(CreateRunRequest), """{"configuration": "name: x", "set": [null]}""")]
        [InlineData(typeof(BranchRunRequest), """{"version": "1", "set": ["a=b", null]}""")]
        [InlineData(typeof(UpdateReply), """{"uploads": {"aa": null}}""")]
        [InlineData(typeof(StatementMessage), """{"policy": "none", "text": "", "parties": [null]}""")]
        [InlineData(typeof(StatementMessage), """{"policy": "none", "text": "", "notProtected": [null]}""")]
        [InlineData(typeof(ProtectionMessage), """{"kind": "shuffle", "clipNorm": 1, "shuffle": {"url": "u", "shufflers": [null], "analyzer": "a", "run": "r", "batch": "b", "reportBytes": 9, "ticket": "t"}}""")]
        public void RefusesNullAmongWhatIsListed(Type type, string text) =>
            Assert.Contains("null", Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(text, type, WireJson.Default)).Message, StringComparison.Ordinal);

        [Theory]
        [InlineData("""{"analysis": {"question": "age"}}""")]
        [InlineData("""{"analysis": {"kind": "riddle", "question": "age"}}""")]
        [InlineData("""{"analysis": {"kind": "quantiles", "question": "age", "lower": 0, "upper": 9, "probabilities": null}}""")]
        public void RefusesAQuestionThatItDoesNotKnow(string text) => Assert.Throws<JsonException>(() => AnalysisPlan.Of(JsonDocument.Parse(text).RootElement));

        [Fact]
        public void TakesADeclarationThatLeavesOutWhatMayBe()
        {
            var declaration = JsonSerializer.Deserialize("""{"delta": {"sha256": "aa", "length": 1}, "examples": 2, "localSteps": 3}""", WireJson.Default.UpdateDeclaration)!;
            Assert.Equal((0, null, false), (declaration.Extras.Count, declaration.TrainingLoss, declaration.Ready));
        }

        [Fact]
        public void LeavesOutWhatIsNull() => Assert.Equal(
            """{"wait":{"reason":"r","retryAfterSeconds":2}}""",
            JsonSerializer.Serialize(new CheckInReply { Wait = new WaitMessage("r", 2) }, WireJson.Default.CheckInReply));

        [Fact]
        public void NeverThrowsAnythingElseOnDamagedText() => Messages.Check(
            Messages.Declaration.SelectMany(_ => Gen.Choose(0, 1 << 20), (declaration, damage) => (declaration, damage)),
            draw =>
            {
                var bytes = JsonSerializer.SerializeToUtf8Bytes(draw.declaration, WireJson.Default.UpdateDeclaration);
                bytes[draw.damage % bytes.Length] ^= (byte)(1 + (draw.damage % 255));
                try
                {
                    _ = JsonSerializer.Deserialize(bytes, WireJson.Default.UpdateDeclaration);
                }
                catch (JsonException)
                {
                    // As it should be.
                }
            });
    }

    public sealed class Protection
    {
        [Fact]
        public void OfALocalPolicyIsToRandomise()
        {
            var message = ProtectionMessage.Of(new LocalPrivacyOptions { ClipNorm = 2, ReportEpsilon = 3, Randomizer = "privunit" })!;
            Assert.Equal("""{"kind":"randomize","clipNorm":2,"randomizer":"privunit","reportEpsilon":3}""", message.ToJson().GetRawText());
            Assert.Equal(message, ProtectionMessage.Parse(message.ToJson()));
        }

        [Fact]
        public void OfACentralPolicyIsToClip() =>
            Assert.Equal("""{"kind":"clip","clipNorm":1}""", ProtectionMessage.Of(new CentralPrivacyOptions())!.ToJson().GetRawText());

        [Fact]
        public void OfNoPolicyIsNothing() => Assert.Null(ProtectionMessage.Of(new NoPrivacyOptions()));
    }
}
