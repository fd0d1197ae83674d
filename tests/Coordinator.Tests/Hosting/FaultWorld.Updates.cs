using System.Security.Cryptography;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <content>Updates: made, sent, and what becomes of them.</content>
internal sealed partial class FaultWorld
{
    private async Task SubmitAsync(UpdateSubmission update, bool isOld = false)
    {
        var result = await AskAsync(async h =>
        {
            if (update.Inline.Length > 0)
            {
                return await h.SubmitAsync(update, default);
            }

            var (_, bytes) = Bytes(update.Assignment, update.Client, update.Report.LocalSteps);
            await using var writer = await store.Blobs.CreateAsync(default);
            await writer.WriteAsync(bytes, default);
            await writer.CommitAsync(update.Report.Delta, default);
            return await h.SubmitAsync(update, default);
        }, settle: false);
        var client = update.Client.Value;
        lock (sent)
        {
            sent.Add(update);
            switch (result)
            {
                case UpdateTaken taken:
                    accepted.Add(update.Assignment.Value);
                    Done(taken.Next);
                    break;
                case UpdateRefused refusal:
                    // Of one that ended several assignments ago it is only known that it is too late, not how it ended.
                    Assert.True(!isOld || refusal.Reason is Rejection.TooLate or Rejection.Duplicate or Rejection.RunOver or Rejection.Stale or Rejection.RoundClosed, refusal.Detail);
                    if (!isOld)
                    {
                        refused.Add(update.Assignment.Value);
                    }

                    Done(refusal.Next);
                    break;
            }
        }

        void Done(CheckInResult? next)
        {
            if (leases[client]?.Id == update.Assignment)
            {
                leases[client] = null;
            }

            if (leases[client] is null && next is not null)
            {
                Take(client, next);
            }
        }
    }

    private void Take(int client, CheckInResult answer)
    {
        switch (answer)
        {
            case Granted granted:
                leases[client] = granted.Assignment;

                // What a version is was decided once: nobody may ever see another.
                lock (seen)
                {
                    if (seen.TryGetValue(granted.Assignment.BaseVersion, out var before))
                    {
                        Assert.Equal(before.Model, granted.Base.Model);
                    }

                    seen[granted.Assignment.BaseVersion] = granted.Base;
                }

                break;
            case RunOver:
                isOver = true;
                break;
        }
    }

    private UpdateSubmission Update(Assignment lease)
    {
        // The content depends on client and base version alone, so that a synchronous run's model does not depend on who got which id.
        var steps = lease.BaseVersion + 1;
        var (reference, bytes) = Bytes(lease.Id, lease.Client, steps);
        var report = new UpdateReport { Examples = 10, LocalSteps = steps, Delta = reference };
        var update = new UpdateSubmission(lease.Id, lease.Client, report, Ready: random.NextDouble() < 0.6);
        return random.NextInt(2) == 0 ? update : update with { Inline = [new InlineBlob(reference, bytes)] };
    }

    private (BlobReference Reference, byte[] Bytes) Bytes(AssignmentId assignment, ClientId client, int steps)
    {
        var delta = new double[Layout.Count];
        if (scheduler == WholeCohort)
        {
            delta[((steps - 1) * Clients) + client.Value] = 1;
            var content = SeededRandom.Derive(3, "update", client.Value, steps);
            for (var i = 0; i < Reals; i++)
            {
                delta[OneHots + i] = content.NextDouble() - 0.5;
            }
        }
        else
        {
            delta[assignment.Value % OneHots] = 1;
        }

        using var file = new MemoryStream();
        new SafetensorsWriter().Add<double>(Layout, delta, ElementType.F64).WriteTo(file);
        return (new BlobReference(Convert.ToHexStringLower(SHA256.HashData(file.GetBuffer().AsSpan(0, (int)file.Length))), file.Length), file.ToArray());
    }
}
