namespace Federated.Protocol.Tests;

public sealed class LocalWorkTests
{
    [Theory]
    [InlineData(100, 10, 1, 10)]
    [InlineData(101, 10, 1, 11)]
    [InlineData(101, 10, 2, 22)]
    [InlineData(101, 10, 0.5, 6)]
    [InlineData(3, 10, 1, 1)]
    [InlineData(1000, 0, 3, 3)]
    [InlineData(5, 10, 0.01, 1)]
    public void OfEpochsIsStepsByTheDataThatAClientHas(int examples, int batchSize, double epochs, int steps) =>
        Assert.Equal(steps, LocalWork.OfEpochs(epochs).StepsFor(examples, batchSize));

    [Fact]
    public void OfStepsIsThatMany() => Assert.Equal(7, LocalWork.OfSteps(7).StepsFor(1, 10));

    [Fact]
    public void LeftToTheClientHasNoNumber()
    {
        Assert.True(LocalWork.ClientsChoice.IsClientsChoice);
        Assert.Throws<InvalidOperationException>(() => LocalWork.ClientsChoice.StepsFor(10, 10));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void NeedsSomethingToDo(int amount)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LocalWork.OfSteps(amount));
        Assert.Throws<ArgumentOutOfRangeException>(() => LocalWork.OfEpochs(amount));
    }
}
