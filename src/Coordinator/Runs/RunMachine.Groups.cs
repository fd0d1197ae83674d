using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <content>Updates of several clients that arrive as one: all of them or none, once.</content>
public sealed partial class RunMachine
{
    /// <summary>Members of groups whose answers are kept for a repetition; beyond it the oldest groups are forgotten.</summary>
    private const int RememberedMembers = 1 << 16;

    private readonly Dictionary<string, ImmutableArray<MemberOutcome>> groups = new(StringComparer.Ordinal);
    private readonly Queue<string> groupsInOrder = new();
    private int rememberedMembers;

    /// <summary>
    /// The members one after the other, each as if it had come alone. A group that came before changes nothing and is answered as it was
    /// then; one that came before and is forgotten changes nothing either, since its members' assignments have all ended.
    /// </summary>
    private void OnGroup(GroupArrived e)
    {
        if (groups.TryGetValue(e.Group, out var before))
        {
            effects.Add(new GroupSettled(e.Group, before, true));
            return;
        }

        var outcomes = ImmutableArray.CreateBuilder<MemberOutcome>(e.Members.Length);
        foreach (var member in e.Members)
        {
            var first = effects.Count;
            OnUpdate(member);
            outcomes.Add(new MemberOutcome(member.Assignment, RefusalOf(member.Assignment, first)));
            Settle();
        }

        effects.Add(new GroupSettled(e.Group, outcomes.ToImmutable(), false));
        Remember(e.Group, outcomes.ToImmutable());
    }

    /// <summary>Null when the effects from an index on accept the assignment's update.</summary>
    private Rejection? RefusalOf(AssignmentId assignment, int first)
    {
        foreach (var effect in CollectionsMarshal.AsSpan(effects)[first..])
        {
            switch (effect)
            {
                case Accepted accepted when accepted.Assignment.Id == assignment:
                    return null;
                case Rejected rejected when rejected.Id == assignment:
                    return rejected.Reason;
            }
        }

        throw new CoordinatorException($"The update of {assignment} was neither accepted nor rejected. This is a defect.");
    }

    private void Remember(string group, ImmutableArray<MemberOutcome> outcomes)
    {
        groups.Add(group, outcomes);
        groupsInOrder.Enqueue(group);
        rememberedMembers += outcomes.Length;
        while (rememberedMembers > RememberedMembers && groupsInOrder.Count > 1)
        {
            groups.Remove(groupsInOrder.Dequeue(), out var oldest);
            rememberedMembers -= oldest.Length;
        }
    }

    private void SaveGroups(BinaryWriter writer)
    {
        writer.Write(groupsInOrder.Count);
        foreach (var group in groupsInOrder)
        {
            writer.Write(group);
            writer.WriteOutcomes(groups[group]);
        }
    }

    private void LoadGroups(BinaryReader reader)
    {
        groups.Clear();
        groupsInOrder.Clear();
        rememberedMembers = 0;
        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            Remember(reader.ReadString(), reader.ReadOutcomes());
        }
    }
}
