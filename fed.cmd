@echo off
rem The entry to this repository on Windows; see the head of ./fed for the verbs.
setlocal
set "root=%~dp0"
set DOTNET_NOLOGO=1
set DOTNET_CLI_TELEMETRY_OPTOUT=1

where dotnet >nul 2>nul
if errorlevel 1 (
  echo fed: dotnet was not found. This needs the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0 1>&2
  exit /b 5
)
pushd "%root%"
dotnet --version >nul 2>nul
if errorlevel 1 (
  popd
  echo fed: the .NET SDK here is too old; see global.json. Get it from https://dotnet.microsoft.com/download/dotnet/10.0 1>&2
  exit /b 5
)
popd

if "%~1"=="engines" goto engines
if not exist "%root%eng\engines.props" (
  echo First run here: asking the package feed for the optional engines. 1>&2
  dotnet run --verbosity quiet "%root%eng\engines.cs" -- --probe --timeout 60 1>&2
)
if "%~1"=="test" goto test
if "%~1"=="bench" goto bench

call :build "%root%src\Cli\Cli.csproj" || exit /b 5
dotnet "%root%artifacts\bin\Cli\release\fed.dll" %*
exit /b %errorlevel%

:test
call :build "%root%Federated.sln" || exit /b 5
call :rest %*
dotnet run --verbosity quiet "%root%eng\tests.cs" -- %rest%
exit /b %errorlevel%

:bench
call :build "%root%benchmarks\Benchmarks\Benchmarks.csproj" || exit /b 5
call :rest %*
dotnet "%root%artifacts\bin\Benchmarks\release\Federated.Benchmarks.dll" %rest%
exit /b %errorlevel%

:engines
call :rest %*
dotnet run --verbosity quiet "%root%eng\engines.cs" -- %rest%
exit /b %errorlevel%

rem MSBuild finds out by itself what is up to date.
:build
dotnet build %1 -c Release -v quiet -nologo -clp:ErrorsOnly 1>&2
set "built=%errorlevel%"
if exist "%root%artifacts\dashboard.problem" type "%root%artifacts\dashboard.problem" 1>&2
exit /b %built%

rem %rest% becomes the arguments without the verb, quotes kept.
:rest
set "rest="
:next
shift
if "%~1"=="" if [%1]==[] exit /b 0
set rest=%rest% %1
goto next
