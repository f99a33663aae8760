using System.Reflection;
using Pelican.Transfer;

namespace Pelican.Tests.Transfer;

public sealed class ErrorRowTests
{
    [Test]
    public async Task Every_error_has_a_number_of_its_own()
    {
        await Assert.That(Errors.All.Select(row => row.Code).Distinct().Count()).IsEqualTo(Errors.All.Count);
    }

    [Test]
    public async Task Every_error_has_a_name_of_its_own()
    {
        await Assert.That(Errors.All.Select(row => row.Name).Distinct().Count()).IsEqualTo(Errors.All.Count);
    }

    [Test]
    public async Task Every_row_is_in_the_table()
    {
        ErrorRow[] declared = [.. typeof(Errors).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(field => field.FieldType == typeof(ErrorRow)).Select(field => (ErrorRow)field.GetValue(null)!)];

        await Assert.That(Errors.All).IsEquivalentTo(declared);
    }

    [Test]
    public async Task A_class_has_one_exit_status_and_a_thousand_of_its_own()
    {
        foreach (ErrorRow row in Errors.All)
        {
            (string name, int exitStatus) = (row.Code / 1000) switch
            {
                1 => ("Parameter", 4),
                2 => ("Resolution", 5),
                3 => ("Contact", 6),
                4 => ("Authorization", 7),
                5 => ("Specification", 8),
                6 => ("Transfer", 9),
                7 => ("Local", 10),
                8 => ("ClientApi", 12),
                _ => ("Internal", 1),
            };

            await Assert.That(row.Name.Split('.')[0]).IsEqualTo(name);
            await Assert.That(row.ExitStatus).IsEqualTo(exitStatus).Because(row.Name);
        }
    }

    [Test]
    [Arguments(1000, "Parameter", false)]
    [Arguments(1011, "Parameter.FileNotFound", false)]
    [Arguments(2000, "Resolution", false)]
    [Arguments(2001, "Resolution.Timeout", true)]
    [Arguments(2002, "Resolution.ConnectionFailure", true)]
    [Arguments(3005, "Contact.ConnectionReset", true)]
    [Arguments(3006, "Contact.ConnectionSetup", true)]
    [Arguments(4000, "Authorization", false)]
    [Arguments(4010, "Authorization.TokenNotFound", false)]
    [Arguments(5000, "Specification", false)]
    [Arguments(5011, "Specification.FileNotFound", false)]
    [Arguments(5012, "Specification.FileAlreadyExists", false)]
    [Arguments(6000, "Transfer", true)]
    [Arguments(6001, "Transfer.StoppedTransfer", true)]
    [Arguments(6002, "Transfer.SlowTransfer", true)]
    [Arguments(6003, "Transfer.TimedOut", true)]
    [Arguments(6004, "Transfer.HeaderTimeout", true)]
    [Arguments(6005, "Transfer.DirectorTimeout", true)]
    [Arguments(6006, "Transfer.ChecksumMismatch", true)]
    [Arguments(6008, "Transfer.OriginUnresponsive", true)]
    [Arguments(6009, "Transfer.OriginSlow", true)]
    [Arguments(6010, "Transfer.CacheOverloaded", true)]
    public async Task What_the_Go_client_numbers_keeps_number_name_and_whether_it_passes(int code, string name, bool retryable)
    {
        ErrorRow row = Errors.All.Single(r => r.Code == code);

        await Assert.That(row.Name).IsEqualTo(name);
        await Assert.That(row.Retryable).IsEqualTo(retryable);
    }

    [Test]
    public async Task What_a_retry_can_cure_ends_with_the_one_status_for_it()
    {
        foreach (ErrorRow row in Errors.All)
        {
            await Assert.That(new PelicanException(row, "x").ExitStatus).IsEqualTo(row.Retryable ? 11 : row.ExitStatus);
        }
    }

    [Test]
    public async Task A_status_of_the_API_fits_its_code()
    {
        Dictionary<string, int[]> fitting = new()
        {
            ["INVALID_REQUEST"] = [400],
            ["UNAUTHORIZED"] = [401],
            ["NOT_FOUND"] = [404],
            ["CONFLICT"] = [409],
            ["TIMEOUT"] = [504],
            ["TRANSFER_FAILED"] = [500],
            ["INTERNAL_ERROR"] = [500],
        };
        foreach (ErrorRow row in Errors.All)
        {
            await Assert.That(fitting[row.ApiCode]).Contains(row.HttpStatus);
        }
    }
}
