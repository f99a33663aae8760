using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ErrorRowTests
{
    [Test]
    public async Task Every_error_has_a_number_of_its_own()
    {
        await Assert.That(Errors.All.Select(row => row.Code).Distinct().Count()).IsEqualTo(Errors.All.Count);
    }
}
