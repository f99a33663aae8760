using Pelican.Commands;

namespace Pelican.Tests.Commands;

public sealed class ProcessStatusTests
{
    [Test]
    [Arguments("0022", "644")]
    [Arguments("0077", "600")]
    [Arguments("0002", "664")]
    [Arguments("0000", "666")]
    public async Task New_files_have_the_mode_that_the_umask_leaves(string umask, string mode)
    {
        ProcessStatus status = ProcessStatus.Parse(["Name:\tx", $"Umask:\t{umask}", "SigIgn:\t0000000000000001"], () => 0);

        await Assert.That(Convert.ToString((int)ProcessStatus.NewFileMode(status.Umask), 8)).IsEqualTo(mode);
        await Assert.That((status.Ignores(1), status.Ignores(2))).IsEqualTo((true, false));
    }

    [Test]
    public async Task Where_proc_does_not_tell_the_system_is_asked()
    {
        await Assert.That(ProcessStatus.Parse(["Name:\tx"], () => 0b111).Umask).IsEqualTo((UnixFileMode)0b111);
    }

    [Test]
    public async Task This_process_has_one()
    {
        await Assert.That((int)ProcessStatus.NewFileMode(ProcessStatus.Read().Umask)).IsGreaterThan(0);
    }
}
