using System.Globalization;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Simulation.Serving;

/// <summary>Whether examples are of the form that a run's model takes.</summary>
internal static class DataForm
{
    public static void Check(DataSet data, ClientPlan plan)
    {
        var features = plan.ExampleShape.Aggregate(1, (product, extent) => checked(product * extent));
        if (data.FeatureCount != features || data.Classes > plan.Classes)
        {
            throw new TrainingException(string.Create(
                CultureInfo.InvariantCulture,
                $"The run's model takes examples of {string.Join('×', plan.ExampleShape)} features in {plan.Classes} classes; these data ('{data.Name}') have {data.FeatureCount} features in {data.Classes}. Prepare them as the run says."));
        }
    }
}
