using Federated.Benchmarks.Training;

return args switch
{
    ["training", .. var rest] => TrainingSpeed.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project benchmarks/Benchmarks -- training [name]");
    return 2;
}
