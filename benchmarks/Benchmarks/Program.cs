using Federated.Benchmarks.Simulation;
using Federated.Benchmarks.Training;

return args switch
{
    ["events", .. var rest] => EventEngine.Run(rest),
    ["training", .. var rest] => TrainingSpeed.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project benchmarks/Benchmarks -- training [name] | events [clients] [case]");
    return 2;
}
