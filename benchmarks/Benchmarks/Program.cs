using System.Reflection;
using BenchmarkDotNet.Running;
using Federated.Benchmarks;

var named = Assembly.GetExecutingAssembly().GetTypes()
    .Select(type => (Type: type, About: type.GetCustomAttribute<WholeProcessAttribute>()))
    .Where(found => found.About is not null)
    .OrderBy(found => found.About!.Name, StringComparer.Ordinal)
    .ToList();

if (args is ["--help" or "-h" or "help" or "list"] or [])
{
    Console.WriteLine("usage: dotnet run -c Release --project benchmarks/Benchmarks -- NAME [args]");
    foreach (var (_, about) in named)
    {
        Console.WriteLine($"  {about!.Name,-14} {about.Usage}");
    }

    Console.WriteLine("Other arguments go to BenchmarkDotNet, for example --filter '*' --job short.");
    return 0;
}

if (named.Find(found => found.About!.Name == args[0]) is ({ } chosen, { } its))
{
    if (args[1..] is ["--help" or "-h" or "help", ..])
    {
        Console.WriteLine($"usage: ./fed bench {its.Name} {its.Usage}");
        return 0;
    }

    try
    {
        Arguments.Require(its, args[1..]);
        return chosen.GetMethod("Run", BindingFlags.Static | BindingFlags.Public)!.CreateDelegate<Func<string[], int>>()(args[1..]);
    }
    catch (UsageException wrong)
    {
        Console.Error.WriteLine($"{wrong.Message}\nusage: ./fed bench {its.Name} {its.Usage}");
        return 2;
    }
}

// A misspelt name would otherwise reach BenchmarkDotNet, which asks on the console and waits.
if (!args[0].StartsWith('-'))
{
    Console.Error.WriteLine($"There is no benchmark '{args[0]}'; one of {string.Join(", ", named.Select(found => found.About!.Name))} is needed, or BenchmarkDotNet's options.");
    return 2;
}

BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
return 0;
