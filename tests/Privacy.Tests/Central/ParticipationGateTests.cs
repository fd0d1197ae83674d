using Federated.Privacy.Central;
using Federated.Privacy.Central.Factorizations;

namespace Federated.Privacy.Tests.Central;

public static class ParticipationGateTests
{
    public sealed class TryAdmit
    {
        [Fact]
        public void Turns_away_who_returns_too_early_or_too_often()
        {
            var gate = new ParticipationGate(new Participation(2, 5));
            Assert.Null(gate.TryAdmit(1, 0));
            Assert.Contains("from step 5 on", gate.TryAdmit(1, 4), StringComparison.Ordinal);
            Assert.Null(gate.TryAdmit(2, 4));
            Assert.Null(gate.TryAdmit(1, 5));
            Assert.Contains("as often as the guarantee covers", gate.TryAdmit(1, 50), StringComparison.Ordinal);
        }

        [Fact]
        public void Remembers_over_a_checkpoint()
        {
            var gate = new ParticipationGate(new Participation(2, 5));
            gate.TryAdmit(7, 3);
            var restored = new ParticipationGate(new Participation(2, 5));
            restored.Restore(gate.Clients);
            Assert.NotNull(restored.TryAdmit(7, 6));
        }
    }
}
