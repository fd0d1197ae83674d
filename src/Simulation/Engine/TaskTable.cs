using Federated.Protocol;
using Federated.Simulation.Devices;

namespace Federated.Simulation.Engine;

/// <summary>One task between its dispatch and its end.</summary>
internal struct SimulatedTask
{
    public Assignment Assignment;
    public TaskPlan Plan;
    public double ArrivedAt;
}

/// <summary>The tasks under way, in slots that are used again: memory is that of the most tasks ever under way at once.</summary>
internal sealed class TaskTable
{
    private SimulatedTask[] tasks = new SimulatedTask[64];
    private int[] free = new int[64];
    private int freeCount;
    private int used;

    public int Count => used - freeCount;

    public ref SimulatedTask this[int slot] => ref tasks[slot];

    public int Add(Assignment assignment, in TaskPlan plan)
    {
        if (freeCount == 0 && used == tasks.Length)
        {
            Array.Resize(ref tasks, tasks.Length * 2);
        }

        var slot = freeCount > 0 ? free[--freeCount] : used++;
        tasks[slot] = new SimulatedTask { Assignment = assignment, Plan = plan, ArrivedAt = double.NaN };
        return slot;
    }

    public void Free(int slot)
    {
        tasks[slot].Assignment = null!; // Or it would live as long as the table.
        if (freeCount == free.Length)
        {
            Array.Resize(ref free, free.Length * 2);
        }

        free[freeCount++] = slot;
    }
}
